#include "api/completion_request.h"

#include <optional>

namespace rockllama::api {
namespace {

std::string read_prompt(FieldReader* fields) {
  const Json* prompt = fields->find("prompt");
  if (prompt != nullptr && prompt->is_array() && prompt->size() == 1) prompt = &prompt->front();
  if (prompt != nullptr && prompt->is_string()) return prompt->get<std::string>();
  fields->bad("prompt", "must be a string or a list with one string");
  return {};
}

// What would change the answer is refused where it cannot be done, never passed over.
void refuse_completion_fields(FieldReader* fields) {
  const auto refuse = [fields](const std::string& name) {
    fields->fault(ErrorCode::kUnsupported, name + " is not supported", name);
  };
  if (fields->boolean("echo").value_or(false)) refuse("echo");
  if (fields->find("suffix") != nullptr) refuse("suffix");
  if (fields->integer("best_of", {1, 20}).value_or(1) != 1) refuse("best_of");
}

// A number here, unlike in a chat; false is what some clients send for none.
std::optional<uint32_t> read_logprobs_count(FieldReader* fields) {
  const Json* logprobs = fields->find("logprobs");
  if (logprobs == nullptr || *logprobs == false) return std::nullopt;
  return fields->integer("logprobs", {0, kMaxTopLogprobs});
}

}  // namespace

Result<CompletionCall> parse_completion_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  CompletionCall call;
  call.request.prompt = TextPrompt{read_prompt(&fields)};
  read_generation_fields(&fields, *json, &call);
  call.request.options.top_logprobs = read_logprobs_count(&fields);
  refuse_completion_fields(&fields);
  if (fields.error()) return fail(*fields.error());
  return call;
}

}  // namespace rockllama::api
