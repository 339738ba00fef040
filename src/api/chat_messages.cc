#include "api/chat_messages.h"

#include <utility>

#include "base/json_depth.h"

namespace rockllama::api {
namespace {

std::string read_part(FieldReader* part) {
  const auto type = part->string("type");
  if (!type) part->bad("type", "must be a string");
  if (type && *type != "text") {
    part->fault(ErrorCode::kUnsupportedContent, part->path() + ": only text content is supported", part->path());
  }
  const auto text = part->string("text");
  if (!text) part->bad("text", "must be a string");
  return text.value_or("");
}

std::string read_content(FieldReader* message, const std::string& role) {
  const Json* content = message->find("content");
  if (content == nullptr) {
    if (role != "assistant") message->bad("content", "must be a string or a list of parts");
    return {};
  }
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array() || content->empty()) {
    message->bad("content", "must be a string or a list of parts that is not empty");
    return {};
  }
  std::string text;
  message->each_object("content", *content, [&](FieldReader* part) { text += read_part(part); });
  return text;
}

std::string read_role(FieldReader* message) {
  const std::string role = message->string("role").value_or("");
  if (!is_chat_role(role)) message->bad("role", kChatRoleRule);
  return role == "developer" ? "system" : role;
}

ToolCall read_tool_call(FieldReader* fields) {
  ToolCall call{.id = fields->string("id").value_or("")};
  if (fields->find("type") != nullptr && fields->string("type") != "function")
    fields->bad("type", "must be \"function\"");
  const Json* object = fields->object("function");
  if (object == nullptr) {
    fields->bad("function", "must be an object");
    return call;
  }
  FieldReader function(*object, fields->path_of("function"));
  call.name = function.string("name").value_or("");
  if (call.name.empty()) function.bad("name", "must be a string that is not empty");
  call.arguments = read_call_arguments(&function);
  if (function.error()) fields->fault(*function.error());
  return call;
}

std::vector<ToolCall> read_tool_calls(FieldReader* message, const std::string& role) {
  std::vector<ToolCall> calls;
  const Json* list = message->list("tool_calls");
  if (list == nullptr || list->empty()) return calls;
  if (role != "assistant") message->bad("tool_calls", "are only of an assistant");
  message->each_object("tool_calls", *list, [&](FieldReader* call) { calls.push_back(read_tool_call(call)); });
  return calls;
}

ChatMessage read_message(FieldReader* message) {
  const std::string role = read_role(message);
  return {.role = role,
          .content = read_content(message, role),
          .name = message->string("name").value_or(""),
          .tool_call_id = message->string("tool_call_id").value_or(""),
          .reasoning_content = message->string("reasoning_content").value_or(""),
          .tool_calls = read_tool_calls(message, role)};
}

}  // namespace

std::string read_call_arguments(FieldReader* function) {
  const auto arguments = function->string("arguments");
  if (!arguments || nested_too_deep(*arguments) || !Json::accept(*arguments)) {
    function->bad("arguments", "must be a string with JSON that is nested at most 64 levels deep");
  }
  return arguments.value_or("");
}

std::vector<ChatMessage> read_messages(FieldReader* fields) {
  const Json* list = fields->list("messages");
  if (list == nullptr || list->empty()) {
    fields->bad("messages", "must be a list of messages that is not empty");
    return {};
  }
  std::vector<ChatMessage> messages;
  fields->each_object("messages", *list, [&](FieldReader* message) { messages.push_back(read_message(message)); });
  return messages;
}

}  // namespace rockllama::api
