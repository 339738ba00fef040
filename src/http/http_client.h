// A small blocking HTTP/1.1 client for the command line and the benchmarks: loopback and plain text only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama::http {

struct ClientResponse {
  int status = 0;
  std::string body{};
};

class HttpClient {
 public:
  HttpClient(std::string host, uint16_t port, uint32_t timeout_ms)
      : host_(std::move(host)), port_(port), timeout_ms_(timeout_ms) {}
  // `body` empty = none. kUnavailable when nothing listens, kIo otherwise.
  [[nodiscard]] Result<ClientResponse> request(std::string_view method, std::string_view target, std::string_view body);
  // Hands each piece of the body to `piece` as it arrives (false = hang up); the returned body is empty for 200.
  [[nodiscard]] Result<ClientResponse> stream(std::string_view method, std::string_view target, std::string_view body,
                                              const std::function<bool(std::string_view)>& piece);

 private:
  std::string host_;
  uint16_t port_;
  uint32_t timeout_ms_;
};

}  // namespace rockllama::http
