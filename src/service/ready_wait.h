// How long a request waits for a worker that is not ready, as while it starts again. Pure.
#pragma once

#include <algorithm>
#include <optional>

namespace rockllama {

// What is left of `limit_ms` for a request of `submitted_ms`; 0 = it has waited enough. Only the time without a ready
// worker counts (`not_ready_since_ms`, as Scheduler says).
[[nodiscard]] inline double remaining_wait_ms(std::optional<double> not_ready_since_ms, double submitted_ms,
                                              double now_ms, double limit_ms) {
  if (!not_ready_since_ms) return limit_ms;
  return std::max(0.0, limit_ms - (now_ms - std::max(*not_ready_since_ms, submitted_ms)));
}

}  // namespace rockllama
