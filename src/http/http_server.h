// The HTTP/1.1 server: Boost.Beast coroutines on one thread that only moves bytes. Keep-alive, limits on header,
// body, connections and time. Handlers run on the executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/result.h"
#include "http/cors.h"
#include "http/message.h"
#include "http/router.h"

namespace rockllama::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;                // 0 = any free one
  std::string tls_certificate_file{};  // PEM, with the chain; empty = no TLS
  std::string tls_key_file{};          // PEM
  uint32_t header_limit_bytes = 64u << 10;
  uint64_t body_limit_bytes = 16u << 20;
  uint32_t max_connections = 8192;
  uint32_t header_timeout_ms = 15'000;  // from the first byte of a request (or the connection) to its last header
  uint32_t body_timeout_ms = 60'000;    // for the whole body
  uint32_t idle_timeout_ms = 75'000;    // between requests of one connection
  uint32_t write_timeout_ms = 30'000;   // without any byte taken by the client
  CorsRules cors{};
  uint64_t output_limit_bytes = 4u << 20;  // of one stream, queued; beyond it the client is cut off
};

// How an error that the server itself finds (408, 413, 431, 404, 405, 500, 503 at the connection limit) is worded.
using ErrorBody = std::function<std::string(int status, const std::string& message)>;

class HttpServer {
 public:
  // Binds and listens; kConflict when the port is in use, kInvalidArgument for a bad host, certificate or key.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const ServerOptions& options, const Router& router,
                                                                  Executor& executor, ErrorBody error_body);
  ~HttpServer();
  [[nodiscard]] uint16_t port() const;
  // Serves on the calling thread until stop() has been carried out.
  void run();
  // Any thread, also a signal thread: closes the listener and idle connections at once, the others when their
  // response is complete or after `grace_ms`.
  void stop(uint32_t grace_ms);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama::http
