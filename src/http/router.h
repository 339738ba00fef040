// Method and path to handler. Pure; filled at start, then read from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace rockllama::http {

class Router {
 public:
  // Asked before each handler that is added after it; false: it has answered, and the handler is not called.
  void set_guard(Guard guard) { guard_ = std::move(guard); }
  // `pattern` as "/v1/cache/{model}/{name}"; a placeholder takes one non-empty segment (percent-decoded).
  // Literal segments win over placeholders.
  void add(std::string method, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;                                // null: nothing fits
    std::vector<std::pair<std::string, std::string>> path_values{};  // placeholder -> value
    std::string allowed{};  // where the path exists with other methods: "GET, POST", for a 405
  };
  // HEAD is answered by GET's handler. `path` is the undecoded path.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  Guard guard_;
  std::vector<Route> routes_;
};

}  // namespace rockllama::http
