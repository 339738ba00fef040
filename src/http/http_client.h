// A small blocking HTTP/1.1 client for the command line and the benchmarks: plain text, one connection per request.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string body{};  // JSON; empty = none
  int body_file = -1;  // else: an archive, from the beginning of a file that stays open
  uint64_t body_bytes = 0;
  std::string api_key{};  // empty = none
  // Takes the body of a 200 as it arrives (false = hang up); the body of the response is then empty.
  std::function<bool(std::string_view piece)> on_piece{};
  std::function<void(uint64_t bytes)> on_length{};  // of the body of a 200, before its first piece, where it is known
  std::function<void(uint64_t bytes)> on_sent{};    // of the file, so far
};

struct ClientResponse {
  int status = 0;
  std::string body{};
};

class HttpClient {
 public:
  HttpClient(std::string host, uint16_t port, uint32_t timeout_ms)
      : host_(std::move(host)), port_(port), timeout_ms_(timeout_ms) {}
  // kUnavailable when nothing listens, kTooLarge for an answer that is too large for memory, kIo otherwise. The time
  // limit is for each step.
  [[nodiscard]] Result<ClientResponse> send(const ClientRequest& request);
  // `body` empty = none.
  [[nodiscard]] Result<ClientResponse> request(std::string_view method, std::string_view target, std::string_view body);
  [[nodiscard]] Result<ClientResponse> stream(std::string_view method, std::string_view target, std::string_view body,
                                              const std::function<bool(std::string_view)>& piece);

 private:
  std::string host_;
  uint16_t port_;
  uint32_t timeout_ms_;
};

}  // namespace rockllama::http
