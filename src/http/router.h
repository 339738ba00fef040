// Method and path to handler. Pure; filled at start, then read from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace rockllama::http {

// For a route whose bodies are too large for memory: they go into a file.
struct BodyFile {
  uint64_t limit_bytes = 0;                  // instead of the server's body limit
  std::function<Result<UniqueFd>()> open{};  // a new file without a name, for reading and writing; on the executor
  // Whether a body of this request is kept at all, by its head; set from the router's guard. Empty = every one.
  std::function<bool(Request& head)> admits{};
};

class Router {
 public:
  // Asked before each handler that is added after it; false: it has answered, and the handler is not called.
  void set_guard(Guard guard) { guard_ = std::move(guard); }
  // Each handler that is added after it is what `wrap` makes of it, behind the guard.
  void set_wrap(std::function<Handler(Handler)> wrap) { wrap_ = std::move(wrap); }
  // `pattern` as "/v1/cache/{model}/{name}"; a placeholder takes one non-empty segment (percent-decoded).
  // Literal segments win over placeholders.
  void add(std::string method, std::string_view pattern, Handler handler, std::optional<BodyFile> body_file = {});

  // Method and pattern of each, in the order of add().
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> routes() const;

  struct Match {
    const Handler* handler = nullptr;                                // null: nothing fits
    const BodyFile* body_file = nullptr;                             // null: the body comes as text
    std::vector<std::pair<std::string, std::string>> path_values{};  // placeholder -> value
    std::string allowed{};  // where the path exists with other methods: "GET, POST", for a 405
  };
  // HEAD is answered by GET's handler. `path` is the undecoded path.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;
    std::optional<BodyFile> body_file{};
  };
  Guard guard_;
  std::function<Handler(Handler)> wrap_;
  std::vector<Route> routes_;
};

}  // namespace rockllama::http
