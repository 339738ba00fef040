#include "api/chat_request.h"

#include <optional>
#include <utility>

#include "api/answer_format.h"
#include "api/chat_messages.h"
#include "api/chat_tools.h"
#include "api/template_fields.h"

namespace rockllama::api {
namespace {

void refuse_functions(FieldReader* fields) {
  if (const Json* functions = fields->list("functions"); functions != nullptr && !functions->empty()) {
    fields->fault(ErrorCode::kUnsupported, "functions are not supported: tools are", "functions");
  }
}

void read_response_format(FieldReader* fields, ChatPrompt* prompt) {
  const Json* format = fields->object("response_format");
  if (format == nullptr) return;
  FieldReader reader(*format, "response_format");
  prompt->answer_schema = read_answer_schema(&reader, WireForm::kChat);
  if (reader.error()) fields->fault(*reader.error());
  refuse_schema_beside_tools(fields, *prompt, "response_format");
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
  ChatPrompt prompt{.messages = read_messages(&fields), .enable_thinking = enable_thinking};
  read_effort(&fields, "reasoning_effort", &prompt);
  read_template_arguments(&fields, &prompt);
  refuse_functions(&fields);
  read_tool_fields(&fields, WireForm::kChat, &prompt);
  read_response_format(&fields, &prompt);
  read_generation_fields(&fields, *json, &call);
  call.request.options.top_logprobs = read_logprobs(&fields);
  if (fields.error()) return fail(*fields.error());
  set_chat(std::move(prompt), &call);
  return call;
}

}  // namespace rockllama::api
