// Holds each API key to its limits. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/router.h"
#include "service/call_budget.h"

namespace rockllama::api {

class CallLimiter : public std::enable_shared_from_this<CallLimiter> {
 public:
  explicit CallLimiter(CallLimits limits) : limits_(limits) {}

  // `handler` for requests of callers within their limits; others get 429 with Retry-After. With a limit of their rate
  // all responses say what is left, in x-ratelimit-*-requests. For handlers behind the guard that names the caller.
  [[nodiscard]] http::Handler limited(http::Handler handler);

 private:
  CallVerdict take(const std::string& caller);
  void ended(const std::string& caller);

  const CallLimits limits_;
  std::mutex mutex_;
  std::map<std::string, CallBudget> budgets_;  // by the key's name
};

}  // namespace rockllama::api
