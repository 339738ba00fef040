// The bytes of one client: plain over TCP, or through TLS. Everything here runs on the HTTP thread. An AsyncReadStream
// and AsyncWriteStream of Boost.
#pragma once

#include <boost/asio/ssl.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "http/asio.h"

namespace rockllama::http {

class ClientStream {
 public:
  using executor_type = beast::tcp_stream::executor_type;

  // Null: plain. `tls` outlives this.
  ClientStream(tcp::socket socket, net::ssl::context* tls) : tcp_(std::move(socket)) {
    if (tls != nullptr) tls_.emplace(tcp_, *tls);
  }

  [[nodiscard]] executor_type get_executor() { return tcp_.get_executor(); }
  // Its socket, and the time limits of what is read and written.
  [[nodiscard]] beast::tcp_stream& transport() { return tcp_; }
  [[nodiscard]] bool is_plain() const { return !tls_; }

  // Before anything is read or written. False where the client does not speak TLS, or not within the time limit.
  [[nodiscard]] Task<bool> begin() {
    error_code error;
    if (tls_) co_await tls_->async_handshake(net::ssl::stream_base::server, into(error));
    co_return !error;
  }
  // Tells the client that nothing follows, so that it can tell a whole response from a cut one.
  [[nodiscard]] Task<void> end() {
    error_code error;
    if (tls_) co_await tls_->async_shutdown(into(error));
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return net::async_initiate<Token, void(error_code, size_t)>(
        [this](auto&& handler, const Buffers& to) {
          this->over_layer([&](auto& layer) { layer.async_read_some(to, std::forward<decltype(handler)>(handler)); });
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return net::async_initiate<Token, void(error_code, size_t)>(
        [this](auto&& handler, const Buffers& from) {
          this->over_layer(
              [&](auto& layer) { layer.async_write_some(from, std::forward<decltype(handler)>(handler)); });
        },
        token, buffers);
  }

 private:
  // What bytes go through.
  template <class Use>
  void over_layer(const Use& use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(tcp_);
    }
  }

  beast::tcp_stream tcp_;
  std::optional<net::ssl::stream<beast::tcp_stream&>> tls_;
};

}  // namespace rockllama::http
