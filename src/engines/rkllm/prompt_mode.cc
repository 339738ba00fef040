#include "engines/rkllm/prompt_mode.h"

#include <algorithm>
#include <cctype>

namespace rockllama::rkllm {
namespace {

// A conversation becomes one turn: the system text, then the only message, or all of them with who said them.
constexpr std::string_view kNativeTemplate = R"(
{%- set turns = namespace(count=0) -%}
{%- for message in messages -%}
{%- if message.role == 'system' or message.role == 'developer' -%}
{{- message.content + '\n\n' -}}
{%- else -%}
{%- set turns.count = turns.count + 1 -%}
{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role != 'system' and message.role != 'developer' -%}
{%- if turns.count > 1 -%}
{{- message.role + ': ' + message.content -}}
{%- else -%}
{{- message.content -}}
{%- endif -%}
{%- if not loop.last -%}
{{- '\n\n' -}}
{%- endif -%}
{%- endif -%}
{%- endfor -%})";

constexpr size_t kLongestSpecial = 64;

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

Result<PromptChoice> choose_wanted(const PromptFacts& facts) {
  const std::string reason = "model.json says so";
  if (facts.wanted == "native") return PromptChoice{PromptMode::kNative, reason};
  if (facts.wanted == "rendered") {
    if (facts.has_template) return PromptChoice{PromptMode::kRendered, reason};
    return fail(ErrorCode::kInvalidArgument,
                "prompt_mode rendered needs a chat template: put chat_template.jinja beside the model.");
  }
  if (facts.has_tokenizer) return PromptChoice{PromptMode::kTokens, reason};
  return fail(ErrorCode::kInvalidArgument,
              "prompt_mode tokens needs the model's vocabulary: put tokenizer.gguf beside the model.");
}

PromptChoice choose_without_tokenizer(const PromptFacts& facts) {
  const std::string none = "there is no tokenizer.gguf beside the model";
  if (!facts.has_template) return {PromptMode::kNative, none + " and no chat_template.jinja"};
  if (!facts.runtime_template) {
    return {PromptMode::kRendered, none + ", and this runtime has no chat template of its own"};
  }
  if (!facts.parses_special) {
    return {PromptMode::kNative, none + ", and it cannot be told whether this runtime parses special tokens in text"};
  }
  if (*facts.parses_special) return {PromptMode::kRendered, none + ", and this runtime parses special tokens in text"};
  return {PromptMode::kNative, none + ", and this runtime does not parse special tokens in text"};
}

}  // namespace

const char* to_string(PromptMode mode) {
  switch (mode) {
    case PromptMode::kTokens:
      return "tokens";
    case PromptMode::kRendered:
      return "rendered";
    case PromptMode::kNative:
      break;
  }
  return "native";
}

Result<PromptChoice> choose_prompt_mode(const PromptFacts& facts) {
  if (!facts.wanted.empty()) return choose_wanted(facts);
  if (facts.has_tokenizer) return PromptChoice{PromptMode::kTokens, "tokenizer.gguf lies beside the model"};
  return choose_without_tokenizer(facts);
}

std::string special_token_in(std::string_view chat_template) {
  for (size_t at = chat_template.find("<|"); at != std::string_view::npos; at = chat_template.find("<|", at + 1)) {
    const size_t end = chat_template.find("|>", at);
    if (end == std::string_view::npos || end - at > kLongestSpecial) continue;
    if (is_name(chat_template.substr(at + 2, end - at - 2))) {
      return std::string(chat_template.substr(at, end + 2 - at));
    }
  }
  return {};
}

std::string_view native_template() { return kNativeTemplate; }

}  // namespace rockllama::rkllm
