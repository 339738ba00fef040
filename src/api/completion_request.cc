#include "api/completion_request.h"

#include <optional>
#include <utility>

#include "api/token_ids.h"

namespace rockllama::api {
namespace {

constexpr double kMaxBestOf = 20;
constexpr size_t kMaxGenerations = 64;  // of one request, prompts times candidates
constexpr const char* kPromptRule =
    "must be a text, a list of texts, a list of token ids, or a list of such lists, not empty";

std::optional<TextPrompt> read_prompt(const Json& value) {
  if (value.is_string()) return TextPrompt{value.get<std::string>()};
  auto ids = read_token_ids(value);
  if (!ids || ids->empty()) return std::nullopt;
  return TextPrompt{.text = {}, .tokens = std::move(*ids)};
}

void add_prompt(FieldReader* fields, const std::string& path, const Json& value, std::vector<TextPrompt>* prompts) {
  auto prompt = read_prompt(value);
  if (!prompt) return fields->fault(ErrorCode::kInvalidArgument, path + " " + kPromptRule, path);
  prompts->push_back(std::move(*prompt));
}

std::vector<TextPrompt> read_prompts(FieldReader* fields) {
  std::vector<TextPrompt> prompts;
  const Json* value = fields->find("prompt");
  if (value == nullptr || (value->is_array() && value->empty())) {
    fields->bad("prompt", kPromptRule);
  } else if (!value->is_array() || value->front().is_number()) {
    add_prompt(fields, "prompt", *value, &prompts);
  } else if (value->size() > kMaxGenerations) {
    fields->bad("prompt", "must have at most " + std::to_string(kMaxGenerations) + " entries");
  } else {
    for (size_t i = 0; i < value->size() && !fields->error(); ++i) {
      add_prompt(fields, "prompt[" + std::to_string(i) + "]", (*value)[i], &prompts);
    }
  }
  return prompts;
}

// A number here, unlike in a chat; false is what some clients send for none.
std::optional<uint32_t> read_logprobs_count(FieldReader* fields) {
  const Json* logprobs = fields->find("logprobs");
  if (logprobs == nullptr || *logprobs == false) return std::nullopt;
  return fields->integer("logprobs", {0, kMaxTopLogprobs});
}

// Candidates are compared by their logprobs, also where the client asks for none.
void read_best_of(FieldReader* fields, CompletionCall* call) {
  const auto best_of = static_cast<uint32_t>(fields->integer("best_of", {1, kMaxBestOf}).value_or(0));
  if (best_of == 0 || best_of == call->choices) return;
  if (best_of < call->choices) return fields->bad("best_of", "must be at least n");
  if (call->stream) return fields->bad("best_of", "must be n in a stream");
  call->candidates = best_of;
}

// What stands around the answers; the same for all prompts.
void read_surroundings(FieldReader* fields, bool with_logprobs, std::vector<TextPrompt>* prompts) {
  const bool echo = fields->boolean("echo").value_or(false);
  const std::string suffix = fields->string("suffix").value_or("");
  if (echo && with_logprobs) {
    fields->fault(ErrorCode::kUnsupported, "echo with logprobs is not supported: a prompt's tokens have none here",
                  "echo");
  }
  for (TextPrompt& prompt : *prompts) {
    prompt.echo = echo;
    prompt.suffix = suffix;
  }
}

void take_prompts(std::vector<TextPrompt> prompts, CompletionCall* call) {
  call->request.prompt = std::move(prompts.front());
  prompts.erase(prompts.begin());
  call->further_prompts = std::move(prompts);
}

}  // namespace

Result<CompletionCall> parse_completion_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  CompletionCall call;
  std::vector<TextPrompt> prompts = read_prompts(&fields);
  read_generation_fields(&fields, *json, &call);
  call.request.options.top_logprobs = read_logprobs_count(&fields);
  read_best_of(&fields, &call);
  read_surroundings(&fields, call.request.options.top_logprobs.has_value(), &prompts);
  if (prompts.size() * call.generations_for_each() > kMaxGenerations) {
    fields.bad("prompt", "times n or best_of must be at most " + std::to_string(kMaxGenerations) + " answers");
  }
  if (fields.error()) return fail(*fields.error());
  take_prompts(std::move(prompts), &call);
  return call;
}

}  // namespace rockllama::api
