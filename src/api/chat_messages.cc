#include "api/chat_messages.h"

#include <utility>

namespace rockllama::api {
namespace {

std::string item(const std::string& path, size_t index) { return path + "[" + std::to_string(index) + "]"; }

std::string read_part(FieldReader* message, const std::string& path, const Json& part) {
  if (!part.is_object()) {
    message->fault(ErrorCode::kInvalidArgument, path + " must be an object", path);
    return {};
  }
  FieldReader fields(part, path);
  const auto type = fields.string("type");
  if (!type) fields.bad("type", "must be a string");
  if (type && *type != "text") {
    fields.fault(ErrorCode::kUnsupportedContent, path + ": only text content is supported", path);
  }
  const auto text = fields.string("text");
  if (!text) fields.bad("text", "must be a string");
  if (fields.error()) message->fault(*fields.error());
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
  for (size_t i = 0; i < content->size(); ++i) {
    text += read_part(message, item(message->path_of("content"), i), (*content)[i]);
  }
  return text;
}

std::string read_role(FieldReader* message) {
  const std::string role = message->string("role").value_or("");
  if (!is_chat_role(role)) message->bad("role", kChatRoleRule);
  return role == "developer" ? "system" : role;
}

ChatMessage read_message(FieldReader* message) {
  const std::string role = read_role(message);
  if (const Json* calls = message->list("tool_calls"); calls != nullptr && !calls->empty()) {
    const std::string path = message->path_of("tool_calls");
    message->fault(ErrorCode::kUnsupported, path + ": tool calls are not supported", path);
  }
  return {.role = role,
          .content = read_content(message, role),
          .name = message->string("name").value_or(""),
          .tool_call_id = message->string("tool_call_id").value_or("")};
}

}  // namespace

std::vector<ChatMessage> read_messages(FieldReader* fields) {
  const Json* list = fields->list("messages");
  if (list == nullptr || list->empty()) {
    fields->bad("messages", "must be a list of messages that is not empty");
    return {};
  }
  std::vector<ChatMessage> messages;
  for (size_t i = 0; i < list->size() && !fields->error(); ++i) {
    const std::string path = item("messages", i);
    if (!(*list)[i].is_object()) {
      fields->fault(ErrorCode::kInvalidArgument, path + " must be an object", path);
      break;
    }
    FieldReader message((*list)[i], path);
    messages.push_back(read_message(&message));
    if (message.error()) fields->fault(*message.error());
  }
  return messages;
}

}  // namespace rockllama::api
