#include "api/chat_request.h"

#include <utility>

#include "api/chat_messages.h"

namespace rockllama::api {
namespace {

bool read_thinking(FieldReader* fields, bool unless_said) {
  bool enable = unless_said;
  if (const Json* arguments = fields->object("chat_template_kwargs")) {
    FieldReader reader(*arguments, "chat_template_kwargs");
    enable = reader.boolean("enable_thinking").value_or(enable);
    if (reader.error()) fields->fault(*reader.error());
  }
  return fields->boolean("enable_thinking").value_or(enable);
}

// What would change the answer is refused where it cannot be done, never passed over.
void refuse_chat_fields(FieldReader* fields) {
  for (const char* name : {"tools", "functions"}) {
    const Json* list = fields->list(name);
    if (list != nullptr && !list->empty()) {
      fields->fault(ErrorCode::kUnsupported, std::string(name) + " are not supported", name);
    }
  }
  if (const Json* format = fields->object("response_format")) {
    const auto type = format->find("type");
    if (type == format->end() || *type != "text") {
      fields->fault(ErrorCode::kUnsupported, "response_format: only {\"type\": \"text\"} is supported",
                    "response_format");
    }
  }
  if (fields->boolean("logprobs").value_or(false)) {
    fields->fault(ErrorCode::kUnsupported, "logprobs are not supported", "logprobs");
  }
  if (fields->integer("top_logprobs", {0, 20}).value_or(0) != 0) {
    fields->fault(ErrorCode::kUnsupported, "top_logprobs are not supported", "top_logprobs");
  }
}

}  // namespace

Result<CompletionCall> parse_chat_request(std::string_view body, bool enable_thinking) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  CompletionCall call;
  ChatPrompt prompt{.messages = read_messages(&fields)};
  prompt.enable_thinking = read_thinking(&fields, enable_thinking);
  read_generation_fields(&fields, *json, &call);
  refuse_chat_fields(&fields);
  if (fields.error()) return fail(*fields.error());
  call.request.prompt = std::move(prompt);
  return call;
}

}  // namespace rockllama::api
