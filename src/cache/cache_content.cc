#include "cache/cache_content.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_depth.h"

namespace rockllama {
namespace {

using Ordered = nlohmann::ordered_json;  // a template shows a schema's fields in the order that the client gave them

constexpr const char* kObject = "prompt_cache.messages";

tl::unexpected<Error> malformed(const std::string& field, const std::string& what) {
  return fail(ErrorCode::kInvalidArgument, "the messages of the prompt cache are malformed: " + field + " " + what,
              field);
}

// A string, or nothing where it may be missing.
Status take_text(const Ordered& object, const std::string& at, const char* key, bool required, std::string* value) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return required ? Status(malformed(at + "." + key, "is missing")) : Status{};
  }
  if (!found->is_string()) return malformed(at + "." + key, "must be a string");
  *value = found->get<std::string>();
  return {};
}

// A field that is not understood would be left out of the prompt without a word.
Status check_fields(const Ordered& object, const std::string& at, std::initializer_list<const char*> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return malformed(at + "." + key, "is not known");
  }
  return {};
}

template <class Item>
Status parse_list(const Ordered& json, const char* key, Result<Item> (*parse)(const Ordered&, const std::string&),
                  std::vector<Item>* items) {
  const auto list = json.find(key);
  if (list == json.end() || list->is_null()) return {};
  if (!list->is_array()) return malformed(key, "must be an array");
  for (const Ordered& element : *list) {
    auto item = parse(element, std::string(key) + "[" + std::to_string(items->size()) + "]");
    if (!item) return fail(item.error());
    items->push_back(std::move(*item));
  }
  return {};
}

Result<ToolCall> parse_tool_call(const Ordered& json, const std::string& at) {
  const auto function = json.is_object() ? json.find("function") : json.end();
  if (!json.is_object() || function == json.end() || !function->is_object()) {
    return malformed(at, "must be an object with a function");
  }
  ToolCall call;
  Status status = take_text(json, at, "id", false, &call.id);
  if (status) status = take_text(*function, at + ".function", "name", true, &call.name);
  if (status) status = take_text(*function, at + ".function", "arguments", true, &call.arguments);
  if (!status) return fail(status.error());
  return call;
}

Result<ChatMessage> parse_message(const Ordered& json, const std::string& at) {
  if (!json.is_object()) return malformed(at, "must be an object");
  ChatMessage message;
  Status status =
      check_fields(json, at, {"role", "content", "name", "tool_call_id", "reasoning_content", "tool_calls"});
  if (status) status = take_text(json, at, "role", true, &message.role);
  if (status) status = take_text(json, at, "content", false, &message.content);
  if (status) status = take_text(json, at, "name", false, &message.name);
  if (status) status = take_text(json, at, "tool_call_id", false, &message.tool_call_id);
  if (status) status = take_text(json, at, "reasoning_content", false, &message.reasoning_content);
  if (status) status = parse_list(json, "tool_calls", parse_tool_call, &message.tool_calls);
  if (!status) return fail(status.error());
  if (!is_chat_role(message.role)) return malformed(at + ".role", kChatRoleRule);
  return message;
}

Result<ChatTool> parse_tool(const Ordered& json, const std::string& at) {
  const auto function = json.is_object() ? json.find("function") : json.end();
  if (!json.is_object() || function == json.end() || !function->is_object()) {
    return malformed(at, "must be an object with a function");
  }
  ChatTool tool;
  const std::string inside = at + ".function";
  Status status = take_text(*function, inside, "name", true, &tool.name);
  if (status) status = take_text(*function, inside, "description", false, &tool.description);
  if (!status) return fail(status.error());
  if (const auto schema = function->find("parameters"); schema != function->end() && !schema->is_null()) {
    if (!schema->is_object()) return malformed(inside + ".parameters", "must be an object");
    tool.parameters = schema->dump();
  }
  return tool;
}

Ordered to_json(const ChatMessage& message) {
  Ordered json = {{"role", message.role}, {"content", message.content}};
  if (!message.name.empty()) json["name"] = message.name;
  if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
  if (!message.reasoning_content.empty()) json["reasoning_content"] = message.reasoning_content;
  for (const ToolCall& call : message.tool_calls) {
    json["tool_calls"].push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return json;
}

Ordered to_json(const ChatTool& tool) {
  Ordered function = {{"name", tool.name}};
  if (!tool.description.empty()) function["description"] = tool.description;
  if (!tool.parameters.empty()) function["parameters"] = Ordered::parse(tool.parameters, nullptr, false);
  return {{"type", "function"}, {"function", std::move(function)}};
}

// Cheap, because most texts are no JSON.
bool may_be_messages(std::string_view stored) {
  const size_t first = stored.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && stored[first] == '{' && stored.find(kObject) != std::string_view::npos &&
         !nested_too_deep(stored);
}

}  // namespace

Result<CacheContent> parse_content(std::string_view stored) {
  CacheContent text{.text = std::string(stored)};
  if (!may_be_messages(stored)) return text;
  const Ordered json = Ordered::parse(stored, nullptr, false);
  const auto object = json.is_object() ? json.find("object") : json.end();
  if (!json.is_object() || object == json.end() || *object != kObject) return text;
  CacheContent content;
  Status status = parse_list(json, "messages", parse_message, &content.messages);
  if (status) status = parse_list(json, "tools", parse_tool, &content.tools);
  if (!status) return fail(status.error());
  if (content.is_text()) return malformed("messages", "is empty");
  return content;
}

std::string encode_content(const CacheContent& content) {
  if (content.is_text()) return content.text;
  Ordered json = {{"object", kObject}, {"messages", Ordered::array()}};
  for (const ChatMessage& message : content.messages) json["messages"].push_back(to_json(message));
  if (!content.tools.empty()) json["tools"] = Ordered::array();
  for (const ChatTool& tool : content.tools) json["tools"].push_back(to_json(tool));
  return json.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace rockllama
