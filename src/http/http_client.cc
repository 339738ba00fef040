#include "http/http_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <limits>
#include <optional>

#include "base/posix_file_system.h"
#include "http/asio.h"

namespace rockllama::http {
namespace {

using Parser = beast::http::response_parser<beast::http::string_body>;

constexpr uint64_t kLargestAnswer = uint64_t{256} << 20;
constexpr size_t kUploadBytes = size_t{256} << 10;
constexpr int kContinue = 100;

// One request on a connection of its own; run() blocks the calling thread for as long as it takes.
class Exchange {
 public:
  Exchange(const std::string& host, uint16_t port, uint32_t timeout_ms, const ClientRequest& request)
      : host_(host), port_(port), timeout_(timeout_ms), asked_(request), stream_(io_) {}

  Result<ClientResponse> run() {
    fill_head();
    net::co_spawn(
        io_, [this] { return talk(); }, net::detached);
    io_.run();
    if (failure_) return fail(*failure_);
    if (error_) return fail(connected_ ? ErrorCode::kIo : ErrorCode::kUnavailable, error_.message());
    return std::move(response_);
  }

 private:
  [[nodiscard]] bool uploads() const { return asked_.body_file >= 0; }
  void limit_time() { stream_.expires_after(timeout_); }

  void fill_head() {
    request_.method_string({asked_.method.data(), asked_.method.size()});
    request_.target({asked_.target.data(), asked_.target.size()});
    request_.version(11);
    request_.set(beast::http::field::host, host_ + ":" + std::to_string(port_));
    request_.set(beast::http::field::connection, "close");
    if (!asked_.api_key.empty()) request_.set(beast::http::field::authorization, "Bearer " + asked_.api_key);
    if (uploads()) {
      request_.set(beast::http::field::content_type, "application/x-tar");
      // A server that does not want the file says so before it is sent.
      request_.set(beast::http::field::expect, "100-continue");
      request_.content_length(asked_.body_bytes);
      return;
    }
    if (!asked_.body.empty()) request_.set(beast::http::field::content_type, "application/json");
    request_.body() = asked_.body;
    request_.prepare_payload();
  }

  net::awaitable<void> talk() {
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(host_, std::to_string(port_), error_);
    if (error_) co_return;
    limit_time();
    co_await stream_.async_connect(found, into(error_));
    if (error_) co_return;
    connected_ = true;
    co_await beast::http::async_write(stream_, request_, into(error_));
    if (error_) co_return;
    co_await read_head();
    if (error_) co_return;
    if (uploads() && parser_->get().result_int() == kContinue) {
      co_await upload();
      if (failure_) co_return;
      // A server that hung up may have said why.
      co_await read_head();
      if (error_) co_return;
    }
    response_.status = static_cast<int>(parser_->get().result_int());
    co_await read_body();
  }

  net::awaitable<void> read_head() {
    parser_.emplace();
    parser_->skip(asked_.method == "HEAD");
    parser_->body_limit(std::numeric_limits<uint64_t>::max());
    limit_time();
    co_await beast::http::async_read_header(stream_, buffer_, *parser_, into(error_));
  }

  net::awaitable<void> upload() {
    std::string piece;
    error_code hung_up;
    for (uint64_t sent = 0; sent < asked_.body_bytes && !hung_up;) {
      piece.resize(std::min<uint64_t>(kUploadBytes, asked_.body_bytes - sent));
      const auto got = read_descriptor(asked_.body_file, sent, piece);
      if (!got || *got != piece.size()) {
        failure_ = got ? Error{ErrorCode::kIo, "the file became shorter while it was sent"} : got.error();
        co_return;
      }
      limit_time();
      co_await net::async_write(stream_, net::buffer(piece), into(hung_up));
      sent += piece.size();
      if (asked_.on_sent) asked_.on_sent(sent);
    }
  }

  net::awaitable<void> read_body() {
    const bool in_pieces = asked_.on_piece && response_.status == 200;
    const auto length = parser_->content_length();
    if (in_pieces && length && asked_.on_length) asked_.on_length(*length);
    auto& body = parser_->get().body();
    while (!parser_->is_done()) {
      limit_time();
      co_await beast::http::async_read_some(stream_, buffer_, *parser_, into(error_));
      if (error_) co_return;
      if (!in_pieces && body.size() > kLargestAnswer) {
        failure_ = Error{ErrorCode::kTooLarge, "the answer is too large"};
        co_return;
      }
      if (!in_pieces || body.empty()) continue;
      if (!asked_.on_piece(body)) co_return;
      body.clear();
    }
    response_.body = std::move(body);
  }

  const std::string host_;
  const uint16_t port_;
  const std::chrono::milliseconds timeout_;
  const ClientRequest& asked_;
  net::io_context io_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  std::optional<Parser> parser_;
  ClientResponse response_;
  error_code error_;
  std::optional<Error> failure_;
  bool connected_ = false;
};

}  // namespace

Result<ClientResponse> HttpClient::send(const ClientRequest& request) {
  return Exchange(host_, port_, timeout_ms_, request).run();
}

Result<ClientResponse> HttpClient::request(std::string_view method, std::string_view target, std::string_view body) {
  return send({.method = std::string(method), .target = std::string(target), .body = std::string(body)});
}

Result<ClientResponse> HttpClient::stream(std::string_view method, std::string_view target, std::string_view body,
                                          const std::function<bool(std::string_view)>& piece) {
  return send(
      {.method = std::string(method), .target = std::string(target), .body = std::string(body), .on_piece = piece});
}

}  // namespace rockllama::http
