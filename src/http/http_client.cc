#include "http/http_client.h"

// Asio of Boost 1.74 forgets to include it; g++ 12 notices.
#include <utility>
// The line above has to come first.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <limits>

namespace rockllama::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using net::ip::tcp;
using Piece = std::function<bool(std::string_view)>;

auto into(error_code& error) { return net::redirect_error(net::use_awaitable, error); }

// One request on a connection of its own; run() blocks the calling thread for as long as it takes.
class Exchange {
 public:
  Exchange(const std::string& host, uint16_t port, uint32_t timeout_ms)
      : host_(host), port_(port), timeout_(timeout_ms), stream_(io_) {}

  Result<ClientResponse> run(std::string_view method, std::string_view target, std::string_view body,
                             const Piece* piece) {
    request_.method_string({method.data(), method.size()});
    request_.target({target.data(), target.size()});
    request_.version(11);
    request_.set(beast::http::field::host, host_ + ":" + std::to_string(port_));
    request_.set(beast::http::field::connection, "close");
    if (!body.empty()) request_.set(beast::http::field::content_type, "application/json");
    request_.body().assign(body);
    request_.prepare_payload();
    net::co_spawn(
        io_, [this, piece] { return talk(piece); }, net::detached);
    io_.run();
    if (error_) return fail(connected_ ? ErrorCode::kIo : ErrorCode::kUnavailable, error_.message());
    return std::move(response_);
  }

 private:
  void limit_time() { stream_.expires_after(timeout_); }

  net::awaitable<void> talk(const Piece* piece) {
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(host_, std::to_string(port_), error_);
    if (error_) co_return;
    limit_time();
    co_await stream_.async_connect(found, into(error_));
    if (error_) co_return;
    connected_ = true;
    co_await beast::http::async_write(stream_, request_, into(error_));
    if (error_) co_return;
    parser_.skip(request_.method() == beast::http::verb::head);
    parser_.body_limit(std::numeric_limits<uint64_t>::max());
    limit_time();
    co_await beast::http::async_read_header(stream_, buffer_, parser_, into(error_));
    if (error_) co_return;
    response_.status = parser_.get().result_int();
    co_await read_body(response_.status == 200 ? piece : nullptr);
  }

  net::awaitable<void> read_body(const Piece* piece) {
    auto& body = parser_.get().body();
    while (!parser_.is_done()) {
      limit_time();
      co_await beast::http::async_read_some(stream_, buffer_, parser_, into(error_));
      if (error_) co_return;
      if (piece == nullptr || body.empty()) continue;
      if (!(*piece)(body)) co_return;
      body.clear();
    }
    response_.body = std::move(body);
  }

  const std::string host_;
  const uint16_t port_;
  const std::chrono::milliseconds timeout_;
  net::io_context io_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  beast::http::response_parser<beast::http::string_body> parser_;
  ClientResponse response_;
  error_code error_;
  bool connected_ = false;
};

}  // namespace

Result<ClientResponse> HttpClient::request(std::string_view method, std::string_view target, std::string_view body) {
  return Exchange(host_, port_, timeout_ms_).run(method, target, body, nullptr);
}

Result<ClientResponse> HttpClient::stream(std::string_view method, std::string_view target, std::string_view body,
                                          const std::function<bool(std::string_view)>& piece) {
  return Exchange(host_, port_, timeout_ms_).run(method, target, body, &piece);
}

}  // namespace rockllama::http
