#include "api/chat_request.h"

#include <optional>
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
}

std::optional<uint32_t> read_logprobs(FieldReader* fields) {
  const bool wanted = fields->boolean("logprobs").value_or(false);
  const auto top = static_cast<uint32_t>(fields->integer("top_logprobs", {0, kMaxTopLogprobs}).value_or(0));
  if (wanted) return top;
  if (top != 0) fields->bad("top_logprobs", "needs logprobs to be true");
  return std::nullopt;
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
  call.request.options.top_logprobs = read_logprobs(&fields);
  refuse_chat_fields(&fields);
  if (fields.error()) return fail(*fields.error());
  call.request.prompt = std::move(prompt);
  return call;
}

}  // namespace rockllama::api
