// What the lines mean that RKLLM's runtime writes, which are all that it says about most errors. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rockllama {

// "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]"
struct ContextRefusal {
  int64_t asked = 0;  // tokens
  int64_t limit = 0;
  bool operator==(const ContextRefusal&) const = default;
};
// Of the last such line.
[[nodiscard]] std::optional<ContextRefusal> context_refusal(const std::vector<std::string>& lines);

// The last lines that report an error ("E rkllm: ..."), else the last ones, at most three, joined by " | ".
[[nodiscard]] std::string last_words(const std::vector<std::string>& lines);

}  // namespace rockllama
