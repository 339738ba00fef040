#include "http/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <string>

#include "http/connection.h"

namespace rockllama::http {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxRefusals = 256;

}  // namespace

// The listener.
struct HttpServer::Impl : ConnectionHost {
  using ConnectionHost::ConnectionHost;

  Status open();
  Status read_certificate();
  Task<void> accept();
  void start(tcp::socket socket);
  void begin_stop(uint32_t grace_ms);

  tcp::acceptor acceptor{io};
  net::steady_timer pause{io};
};

Status HttpServer::Impl::read_certificate() {
  if (options.tls_certificate_file.empty()) return {};
  error_code error;
  tls.emplace(net::ssl::context::tls_server);
  tls->set_options(net::ssl::context::default_workarounds | net::ssl::context::no_tlsv1 |
                       net::ssl::context::no_tlsv1_1 | net::ssl::context::no_compression,
                   error);
  if (!error) tls->use_certificate_chain_file(options.tls_certificate_file, error);
  if (error) {
    return fail(ErrorCode::kInvalidArgument,
                "the TLS certificate " + options.tls_certificate_file + " cannot be used: " + error.message());
  }
  tls->use_private_key_file(options.tls_key_file, net::ssl::context::pem, error);
  if (!error) return {};
  return fail(ErrorCode::kInvalidArgument,
              "the TLS key " + options.tls_key_file + " cannot be used with the certificate: " + error.message());
}

Status HttpServer::Impl::open() {
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
  if (error || found.empty())
    return fail(ErrorCode::kInvalidArgument, "cannot listen at host \"" + options.host + "\"");
  const auto endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (!error) return {};
  const std::string what = "cannot listen on " + options.host + ":" + std::to_string(options.port) + ": ";
  if (error == net::error::address_in_use) {
    return fail(ErrorCode::kConflict,
                what + "another program uses this address already; stop it, or choose another port with --port");
  }
  return fail(ErrorCode::kInvalidArgument, what + error.message());
}

Task<void> HttpServer::Impl::accept() {
  while (!stopping) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(into(error));
    if (!error) {
      start(std::move(socket));
    } else if (!stopping) {
      // Mostly: no descriptors left. Some will be given back.
      pause.expires_after(milliseconds(50));
      co_await pause.async_wait(into(error));
    }
  }
}

void HttpServer::Impl::start(tcp::socket socket) {
  const size_t before = connections.size();
  if (before >= options.max_connections + kMaxRefusals) return;
  auto connection = std::make_shared<Connection>(*this, std::move(socket));
  const bool serve = before < options.max_connections;
  net::co_spawn(
      io, [connection, serve] { return serve ? connection->serve() : connection->refuse(); }, net::detached);
}

void HttpServer::Impl::begin_stop(uint32_t grace_ms) {
  if (stopping) return;
  stopping = true;
  error_code error;
  acceptor.close(error);
  pause.cancel();
  for (auto* connection : connections) {
    if (connection->idle()) connection->abort();
  }
  if (connections.empty()) return;
  grace.expires_after(milliseconds(grace_ms));
  grace.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    for (auto* connection : connections) connection->abort();
  });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ServerOptions& options, const Router& router,
                                                       Executor& executor, ErrorBody error_body) {
  auto impl = std::make_unique<Impl>(options, router, executor, std::move(error_body));
  if (auto read = impl->read_certificate(); !read) return fail(read.error());
  if (auto opened = impl->open(); !opened) return fail(opened.error());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

void HttpServer::run() {
  net::co_spawn(
      impl_->io, [this] { return impl_->accept(); }, net::detached);
  impl_->io.run();
}

void HttpServer::stop(uint32_t grace_ms) {
  net::post(impl_->io, [this, grace_ms] { impl_->begin_stop(grace_ms); });
}

}  // namespace rockllama::http
