// Models of a few MB with random weights and the vocabulary of another one, for tests of model shapes of which no small
// real one is at hand, or where many tokens are decoded: what they say makes no sense, but they keep their state as
// real ones do.
#pragma once

#include <cstdint>
#include <string>

namespace rockllama {

enum class TinyShape : uint8_t {
  kPlain,          // Llama
  kRecurrent,      // Mamba: one state per sequence, no cells
  kSlidingWindow,  // Gemma 2: every second layer sees only the last kTinyWindow tokens
};
constexpr uint32_t kTinyWindow = 64;

// Writes it as GGUF to `to`. False where `vocabulary_of`, a GGUF, cannot be read or `to` cannot be written.
[[nodiscard]] bool write_tiny_model(TinyShape shape, const std::string& vocabulary_of, const std::string& to);

// Writes a LoRA adapter with random weights for the plain shape; false where `to` cannot be written.
[[nodiscard]] bool write_tiny_adapter(const std::string& to);

}  // namespace rockllama
