// How often, and how many at once, one caller may call. Pure: takes the time, knows no clock and no thread.
#pragma once

#include <cstdint>

namespace rockllama {

// Of each caller; 0 = no limit.
struct CallLimits {
  uint32_t requests_per_minute = 0;  // as many may come at once after a minute's rest
  uint32_t parallel = 0;
  [[nodiscard]] bool any() const { return requests_per_minute != 0 || parallel != 0; }
};

struct CallVerdict {
  bool admitted = false;
  bool too_many_at_once = false;  // why not; else too many in a minute
  uint32_t remaining = 0;         // requests that may still come now
  double reset_ms = 0;            // until as many as ever may come
  double retry_ms = 0;            // where it was not admitted by their rate: until one may come
};

class CallBudget {
 public:
  explicit CallBudget(CallLimits limits) : limits_(limits), level_(limits.requests_per_minute) {}

  // What is admitted is counted, and runs until ended().
  [[nodiscard]] CallVerdict take(double now_ms);
  void ended() { --running_; }

 private:
  void refill(double now_ms);
  [[nodiscard]] double requests_per_ms() const { return limits_.requests_per_minute / 60'000.0; }

  CallLimits limits_;
  double level_;  // requests that may come now
  double at_ms_ = 0;
  uint32_t running_ = 0;
};

}  // namespace rockllama
