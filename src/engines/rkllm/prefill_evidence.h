// Whether a prompt cache was really used: only the number of tokens that the runtime prefilled shows it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rockllama::rkllm {

struct PrefillEvidence {
  std::optional<uint32_t> prefilled{};  // tokens of this run, as the runtime counted them; nothing: it counts none
  uint32_t prompt = 0;                  // the whole prompt: tokens, or bytes where there is no tokenizer
  uint32_t state = 0;                   // the whole state, in the same unit
  uint32_t reusable = 0;                // what of the state the prompt begins with
  // What the runtime counted for the state when it was made, where the rest is bytes; 0 = not known.
  std::optional<uint32_t> counted_state{};
};

struct PrefillVerdict {
  uint32_t reused_tokens = 0;  // 0 = none, or not shown
  std::string reason{};        // why none
};

// In tokens, what was not prefilled was reused. In bytes, the count has to be nearer to what the rest of the prompt
// costs than to the whole, by the tokens per byte of the state.
[[nodiscard]] PrefillVerdict judge_prefill(const PrefillEvidence& evidence);

}  // namespace rockllama::rkllm
