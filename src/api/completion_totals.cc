#include "api/completion_totals.h"

#include <algorithm>
#include <string>

namespace rockllama::api {

CompletionDone total_of(const std::vector<CompletionDone>& choices, size_t of_each) {
  CompletionDone total = choices.front();
  for (auto next = choices.begin() + 1; next != choices.end(); ++next) {
    const auto position = static_cast<size_t>(next - choices.begin());
    if (position % of_each == 0) total.usage.prompt_tokens += next->usage.prompt_tokens;
    total.usage.completion_tokens += next->usage.completion_tokens;
    total.ttft_ms = std::min(total.ttft_ms, next->ttft_ms);
    total.total_ms = std::max(total.total_ms, next->total_ms);
    total.tokens_per_second += next->tokens_per_second;
    for (const std::string& warning : next->warnings) {
      const bool known = std::find(total.warnings.begin(), total.warnings.end(), warning) != total.warnings.end();
      if (!known) total.warnings.push_back(warning);
    }
  }
  return total;
}

}  // namespace rockllama::api
