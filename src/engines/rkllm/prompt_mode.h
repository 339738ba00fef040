// How prompts reach the runtime, and why so. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama::rkllm {

enum class PromptMode : uint8_t {
  kTokens,    // token ids of the model's vocabulary file: exact tokens and counts
  kRendered,  // text that our chat template rendered; the runtime's own template is emptied
  kNative,    // text that the runtime's template goes around
};
[[nodiscard]] const char* to_string(PromptMode mode);  // tokens, rendered, native

struct PromptFacts {
  std::string wanted{};                  // tokens, rendered, native; empty = choose
  bool has_tokenizer = false;            // tokenizer.gguf lies beside the model
  bool has_template = false;             // a chat template of ours: chat_template.jinja, or the tokenizer's
  bool runtime_template = true;          // the runtime has a template of its own; 1.1 has none
  std::optional<bool> parses_special{};  // in text, as the probe showed; nothing: it could not be probed
};

struct PromptChoice {
  PromptMode mode = PromptMode::kNative;
  std::string reason;  // for people
};

// kInvalidArgument where what is wanted lacks its file.
[[nodiscard]] Result<PromptChoice> choose_prompt_mode(const PromptFacts& facts);

// A special token that a chat template writes, for the probe; empty = it shows none.
[[nodiscard]] std::string special_token_in(std::string_view chat_template);

// The chat template of the native mode: what a single turn says to the runtime, whose template goes around it.
[[nodiscard]] std::string_view native_template();

}  // namespace rockllama::rkllm
