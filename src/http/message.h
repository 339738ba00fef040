// Requests and responses as the rest of the server sees them; http_server.cc alone knows Boost.Beast.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace rockllama::http {

struct Request {
  std::string method;  // upper case
  std::string path;    // percent-decoded, without query
  std::vector<std::pair<std::string, std::string>> query{};
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body{};
  UniqueFd body_file{};  // of a route that takes its body as a file, from its beginning; not valid without a body
  std::string remote_address{};
  std::string caller{};  // name of its API key, filled by a guard; may be empty
  std::string id{};      // of the request, for the log and x-request-id
  std::vector<std::pair<std::string, std::string>> path_values{};  // filled by the router: {model} -> "..."

  // Empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  [[nodiscard]] std::string_view query_value(std::string_view name) const;
  [[nodiscard]] std::string_view path_value(std::string_view name) const;
};

struct ResponseHead {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};
  std::optional<uint64_t> length{};  // of a stream whose bytes are counted beforehand
};

// Where a handler writes its response. Any thread; calls for one response must not overlap. Implementations: the
// HTTP server's, and a recording one in tests. Bytes are queued and sent by the HTTP thread. A client that left, or
// that takes nothing for the write time limit, makes on_closed fire; later writes are dropped.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  // A whole response in one.
  virtual void respond(ResponseHead head, std::string body) = 0;
  // A stream: begin once, write any number of times, finish once.
  virtual void begin(ResponseHead head) = 0;
  virtual void write(std::string bytes) = 0;
  virtual void finish() = 0;
  // Bytes that were written and not yet taken by the socket.
  [[nodiscard]] virtual size_t pending_bytes() const = 0;
  // `closed` is called once, on the HTTP thread, if the client is gone before the response was sent whole (if it is
  // gone already: at once, on the calling thread). `drained` is called on the HTTP thread whenever the queue of a
  // stream has become empty. Both are dropped when the response is complete.
  virtual void watch(std::function<void()> closed, std::function<void()> drained) = 0;
};

// Runs on the executor, not on the HTTP thread; may answer later, from any thread. A handler that drops the writer
// without a response sends 500.
using Handler = std::function<void(std::shared_ptr<Request>, std::shared_ptr<BodyWriter>)>;

// Whether a request may go to its handler; else it has answered. Runs where handlers do.
using Guard = std::function<bool(Request&, BodyWriter&)>;

}  // namespace rockllama::http
