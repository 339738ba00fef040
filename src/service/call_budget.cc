#include "service/call_budget.h"

#include <algorithm>

namespace rockllama {

void CallBudget::refill(double now_ms) {
  const double most = limits_.requests_per_minute;
  level_ = std::min(most, level_ + (now_ms - at_ms_) * requests_per_ms());
  at_ms_ = now_ms;
}

CallVerdict CallBudget::take(double now_ms) {
  refill(now_ms);
  CallVerdict verdict;
  const bool rated = limits_.requests_per_minute != 0;
  verdict.too_many_at_once = limits_.parallel != 0 && running_ >= limits_.parallel;
  verdict.admitted = !verdict.too_many_at_once && (!rated || level_ >= 1);
  if (verdict.admitted) {
    ++running_;
    if (rated) level_ -= 1;
  }
  if (!rated) return verdict;
  verdict.remaining = static_cast<uint32_t>(level_);
  verdict.reset_ms = (limits_.requests_per_minute - level_) / requests_per_ms();
  if (!verdict.admitted && !verdict.too_many_at_once) verdict.retry_ms = (1 - level_) / requests_per_ms();
  return verdict;
}

}  // namespace rockllama
