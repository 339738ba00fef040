// What the TTFT benchmark found, as a table and as JSON. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rockllama {

// All rounds over prompts of one length; TTFT in ms.
struct TtftRounds {
  uint32_t prompt_tokens = 0;       // 0 = the runtime does not count them
  bool unverified = false;          // no count of the runtime shows that the states were reused
  std::vector<double> cold{};       // nothing reused
  std::vector<double> cached{};     // first use of a named cache after it was made
  std::vector<double> again{};      // second use
  std::vector<double> restarted{};  // first request after a restart of the server, over the same cache
};

// 0 of nothing; the mean of the middle two of an even number.
[[nodiscard]] double median(std::vector<double> values);
// Markdown, ratios first.
[[nodiscard]] std::string ttft_table(const std::string& model, const std::vector<TtftRounds>& lengths);
// With every single figure.
[[nodiscard]] std::string ttft_json(const std::string& model, const std::vector<TtftRounds>& lengths);

}  // namespace rockllama
