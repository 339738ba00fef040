#include "api/response_input.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "api/chat_messages.h"

namespace rockllama::api {
namespace {

constexpr std::array<std::string_view, 5> kTextParts = {"input_text", "output_text", "text", "reasoning_text",
                                                        "summary_text"};

std::string read_text_part(FieldReader* part) {
  const std::string type = part->string("type").value_or("");
  const char* field = type == "refusal" ? "refusal" : "text";
  const bool is_text = type == "refusal" || std::find(kTextParts.begin(), kTextParts.end(), type) != kTextParts.end();
  if (type.empty()) part->bad("type", "must be a string");
  if (!is_text) {
    part->fault(ErrorCode::kUnsupportedContent, part->path() + ": only text content is supported", part->path());
  }
  const auto text = part->string(field);
  if (!text) part->bad(field, "must be a string");
  return text.value_or("");
}

std::string read_parts(FieldReader* item, const std::string& name, const Json& list) {
  std::string text;
  item->each_object(name, list, [&](FieldReader* part) { text += read_text_part(part); });
  return text;
}

// A text, or a list of parts with texts.
std::string read_text_or_parts(FieldReader* item, const std::string& name) {
  const Json* value = item->find(name);
  if (value != nullptr && value->is_string()) return value->get<std::string>();
  if (value != nullptr && value->is_array()) return read_parts(item, name, *value);
  item->bad(name, "must be a string or a list of parts");
  return {};
}

ChatMessage read_message_item(FieldReader* item) {
  const std::string role = item->string("role").value_or("");
  if (!is_chat_role(role) || role == "tool") item->bad("role", "must be system, developer, user or assistant");
  return {.role = role == "developer" ? "system" : role, .content = read_text_or_parts(item, "content")};
}

ChatMessage read_call_item(FieldReader* item) {
  ToolCall call{.id = item->string("call_id").value_or(""), .name = item->string("name").value_or("")};
  if (call.name.empty()) item->bad("name", "must be a string that is not empty");
  call.arguments = read_call_arguments(item);
  return {.role = "assistant", .content = "", .tool_calls = {std::move(call)}};
}

ChatMessage read_output_item(FieldReader* item) {
  return {.role = "tool",
          .content = read_text_or_parts(item, "output"),
          .name = item->string("name").value_or(""),
          .tool_call_id = item->string("call_id").value_or("")};
}

// What was thought, else what was told of it.
ChatMessage read_reasoning_item(FieldReader* item) {
  ChatMessage message{.role = "assistant", .content = ""};
  for (const char* name : {"content", "summary"}) {
    const Json* parts = item->list(name);
    if (parts != nullptr && message.reasoning_content.empty()) {
      message.reasoning_content = read_parts(item, name, *parts);
    }
  }
  return message;
}

ChatMessage read_item(FieldReader* item) {
  const std::string type = item->string("type").value_or("message");
  if (type == "message") return read_message_item(item);
  if (type == "function_call") return read_call_item(item);
  if (type == "function_call_output") return read_output_item(item);
  if (type == "reasoning") return read_reasoning_item(item);
  const std::string path = item->path_of("type");
  item->fault(ErrorCode::kUnsupported, path + ": items of this type are not supported", path);
  return {};
}

bool is_only_reasoning(const ChatMessage& message) { return message.content.empty() && message.tool_calls.empty(); }

// Whether `next` goes on with what `last` began: reasoning comes first, then what is said, then calls.
bool continues(const ChatMessage& last, const ChatMessage& next) {
  if (last.role != "assistant" || next.role != "assistant" || !next.reasoning_content.empty()) return false;
  return !next.tool_calls.empty() || is_only_reasoning(last);
}

void append(ChatMessage next, std::vector<ChatMessage>* messages) {
  if (messages->empty() || !continues(messages->back(), next)) return messages->push_back(std::move(next));
  ChatMessage& last = messages->back();
  last.content += next.content;
  std::move(next.tool_calls.begin(), next.tool_calls.end(), std::back_inserter(last.tool_calls));
}

}  // namespace

std::vector<ChatMessage> read_input(FieldReader* fields) {
  const Json* input = fields->find("input");
  if (input != nullptr && input->is_string()) return {{"user", input->get<std::string>()}};
  if (input == nullptr || !input->is_array() || input->empty()) {
    fields->bad("input", "must be a string or a list of items that is not empty");
    return {};
  }
  std::vector<ChatMessage> messages;
  fields->each_object("input", *input, [&](FieldReader* item) { append(read_item(item), &messages); });
  return messages;
}

}  // namespace rockllama::api
