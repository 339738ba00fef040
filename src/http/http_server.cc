#include "http/http_server.h"

// Asio of Boost 1.74 forgets to include it; g++ 12 notices.
#include <utility>
// The line above has to come first.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <limits>
#include <optional>
#include <unordered_set>

#include "base/posix_file_system.h"
#include "http/request_id.h"
#include "http/request_parser.h"
#include "http/response_queue.h"
#include "http/target.h"

namespace rockllama::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using net::ip::tcp;
using std::chrono::milliseconds;
template <class T>
using Task = net::awaitable<T>;

constexpr size_t kMaxPipelinedBytes = 64 << 10;
constexpr size_t kReadBytes = 512;
constexpr uint64_t kMaxDiscardedBytes = 64 << 20;
constexpr milliseconds kLingerTime{2000};
constexpr size_t kMaxRefusals = 256;

constexpr size_t kFilePieceBytes = 1 << 20;

class Connection;

struct Server {
  Server(const ServerOptions& server_options, const Router& server_router, Executor& server_executor, ErrorBody body)
      : options(server_options), router(server_router), executor(server_executor), error_body(std::move(body)) {}

  Status open();
  Task<void> accept();
  void start(tcp::socket socket);
  void begin_stop(uint32_t grace_ms);
  void ended(Connection* connection);

  const ServerOptions options;
  const Router& router;
  Executor& executor;
  const ErrorBody error_body;
  std::unordered_set<Connection*> connections;
  bool stopping = false;
  net::io_context io{1};
  tcp::acceptor acceptor{io};
  net::steady_timer pause{io};
  net::steady_timer grace{io};
};

// One connection: reads a request, waits for its response, sends it, and again. All of it on the HTTP thread. Every
// coroutine holds a reference, so that it lives as long as one of them.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, tcp::socket socket)
      : server_(server), stream_(std::move(socket)), signal_(server.io, net::steady_timer::time_point::max()) {
    server_.connections.insert(this);
  }
  ~Connection() { server_.ended(this); }

  Task<void> serve();
  // At the connection limit: 503, then close.
  Task<void> refuse();
  // Between two requests.
  [[nodiscard]] bool idle() const { return idle_; }
  void abort();

 private:
  Task<bool> wait_for_request(bool first);
  // kRead, or why not as status_of says.
  Task<int> read_request();
  Task<int> read_into_file(const BodyFile& wanted);
  Task<Status> run_on_executor(std::function<Status()> work);
  Task<void> send_continue();
  Task<bool> answer();
  Task<bool> send(ResponseQueue* queue);
  Task<bool> write(std::string bytes, ResponseQueue* queue);
  Task<void> watch();
  Task<void> end_watch();
  Task<void> wait_for_signal();
  Task<void> send_error(int status, std::string message);
  Task<void> close();

  [[nodiscard]] std::shared_ptr<Request> make_request();
  [[nodiscard]] std::shared_ptr<ResponseQueue> make_queue(const Request& request);
  void dispatch(const std::shared_ptr<Request>& request, const std::string& raw_path,
                const std::shared_ptr<ResponseQueue>& queue);

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  UniqueFd body_file_;
  net::steady_timer signal_;  // never expires; cancelled when something is new for the sending coroutine
  std::string remote_address_;
  std::string raw_path_;
  bool idle_ = false;
  bool watching_ = false;
  bool answered_ = false;
  bool gone_ = false;
};

auto into(error_code& error) { return net::redirect_error(net::use_awaitable, error); }

Task<void> Connection::serve() {
  error_code error;
  stream_.socket().set_option(tcp::no_delay(true), error);
  const auto endpoint = stream_.socket().remote_endpoint(error);
  if (!error) remote_address_ = endpoint.address().to_string();
  for (bool first = true;; first = false) {
    const bool arrived = co_await wait_for_request(first);
    if (!arrived) co_return;
    const int status = co_await read_request();
    if (status != kRead) {
      if (status != 0) co_await send_error(status, message_of(status));
      co_return;
    }
    const bool keep = co_await answer();
    if (gone_) co_return;
    if (!keep) {
      co_await close();
      co_return;
    }
  }
}

Task<bool> Connection::wait_for_request(bool first) {
  parser_.reset();
  if (buffer_.size() == 0 && server_.stopping) co_return false;
  stream_.expires_after(milliseconds(first ? server_.options.header_timeout_ms : server_.options.idle_timeout_ms));
  if (buffer_.size() == 0) {
    buffer_.shrink_to_fit();
    error_code error;
    idle_ = true;
    const size_t count = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), into(error));
    idle_ = false;
    if (error) co_return false;
    buffer_.commit(count);
  }
  if (!first) stream_.expires_after(milliseconds(server_.options.header_timeout_ms));
  co_return true;
}

Task<int> Connection::read_request() {
  parser_.emplace();
  parser_->header_limit(server_.options.header_limit_bytes);
  parser_->body_limit(std::numeric_limits<uint64_t>::max());
  body_file_.reset();
  error_code error;
  co_await beast::http::async_read_header(stream_, buffer_, *parser_, into(error));
  if (error) co_return status_of(error);
  const auto& head = parser_->get();
  const auto path = parse_target({head.target().data(), head.target().size()}).path;
  const BodyFile* const wanted = server_.router.match(std::string(head.method_string()), path).body_file;
  const uint64_t limit = wanted != nullptr ? wanted->limit_bytes : server_.options.body_limit_bytes;
  if (parser_->content_length().value_or(0) > limit) co_return 413;
  parser_->body_limit(limit);
  if (parser_->is_done()) co_return kRead;
  stream_.expires_after(milliseconds(server_.options.body_timeout_ms));
  const auto expect = parser_->get()[beast::http::field::expect];
  if (beast::iequals(expect, "100-continue") && parser_->get().version() >= 11) co_await send_continue();
  if (wanted != nullptr) {
    const int status = co_await read_into_file(*wanted);
    co_return status;
  }
  co_await beast::http::async_read(stream_, buffer_, *parser_, into(error));
  co_return status_of(error);
}

// In pieces; each body limit of bytes has the time that a body has.
Task<int> Connection::read_into_file(const BodyFile& wanted) {
  const auto head = make_request();
  auto open = [this, &wanted, head]() -> Status {
    auto file = open_body_file(wanted, *head);
    if (!file) return fail(file.error());
    body_file_ = std::move(*file);
    return {};
  };
  Status status = co_await run_on_executor(std::move(open));
  if (!status) co_return status_of(status.error());
  std::string& piece = parser_->get().body();
  uint64_t received = 0, due = server_.options.body_limit_bytes;
  while (!parser_->is_done()) {
    error_code error;
    co_await beast::http::async_read_some(stream_, buffer_, *parser_, into(error));
    if (error) co_return status_of(error);
    if (piece.size() < kFilePieceBytes && !parser_->is_done()) continue;
    auto write = [this, &piece] { return write_descriptor(body_file_.get(), piece); };
    status = co_await run_on_executor(std::move(write));
    if (!status) co_return status_of(status.error());
    received += piece.size();
    piece.clear();
    if (received < due) continue;
    due += server_.options.body_limit_bytes;
    stream_.expires_after(milliseconds(server_.options.body_timeout_ms));
  }
  co_return kRead;
}

// For file calls: the HTTP thread waits for no disk.
Task<Status> Connection::run_on_executor(std::function<Status()> work) {
  const auto result = std::make_shared<std::optional<Status>>();
  server_.executor.post([self = shared_from_this(), work = std::move(work), result]() mutable {
    const Status status = work();
    // The connection ends on the HTTP thread.
    auto& io = self->server_.io;
    net::post(io, [self = std::move(self), status, result] {
      *result = status;
      self->signal_.cancel();
    });
  });
  while (!*result) co_await wait_for_signal();
  co_return **result;
}

Task<void> Connection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code error;
  co_await net::async_write(stream_, net::buffer(kContinue), into(error));
}

Task<bool> Connection::answer() {
  const auto request = make_request();
  const auto queue = make_queue(*request);
  const bool keep = parser_->get().keep_alive();
  parser_.reset();
  answered_ = false;
  watching_ = true;
  net::co_spawn(
      server_.io, [self = shared_from_this()] { return self->watch(); }, net::detached);
  dispatch(request, raw_path_, queue);
  const bool whole = co_await send(queue.get());
  answered_ = true;
  if (whole) {
    queue->completed();
  } else {
    abort();
    queue->client_left();
  }
  co_await end_watch();
  const bool again = whole && keep && !server_.stopping;
  co_return again;
}

std::shared_ptr<Request> Connection::make_request() {
  auto& message = parser_->get();
  auto request = std::make_shared<Request>();
  auto target = parse_target({message.target().data(), message.target().size()});
  request->method = std::string(message.method_string());
  request->path = percent_decode(target.path);
  request->query = std::move(target.query);
  raw_path_ = std::move(target.path);
  for (const auto& field : message) {
    auto& header = request->headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    for (char& c : header.first) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  request->body = std::move(message.body());
  request->body_file = std::move(body_file_);
  request->remote_address = remote_address_;
  const auto id = request->header("x-request-id");
  request->id = usable_as_id(id) ? std::string(id) : make_request_id();
  return request;
}

std::shared_ptr<ResponseQueue> Connection::make_queue(const Request& request) {
  const Framing framing{.head_only = request.method == "HEAD",
                        .chunked = parser_->get().version() >= 11,
                        .keep_alive = parser_->get().keep_alive() && !server_.stopping,
                        .request_id = request.id};
  auto wake = [self = shared_from_this()] { net::post(self->server_.io, [self] { self->signal_.cancel(); }); };
  return std::make_shared<ResponseQueue>(framing, server_.options.output_limit_bytes, std::move(wake));
}

void Connection::dispatch(const std::shared_ptr<Request>& request, const std::string& raw_path,
                          const std::shared_ptr<ResponseQueue>& queue) {
  auto match = server_.router.match(request->method, raw_path);
  if (match.handler == nullptr) {
    ResponseHead head{.status = match.allowed.empty() ? 404 : 405};
    if (!match.allowed.empty()) head.headers.emplace_back("Allow", match.allowed);
    const auto* message = match.allowed.empty() ? "there is nothing at this path" : "this path has other methods";
    queue->respond(head, server_.error_body(head.status, message));
    return;
  }
  request->path_values = std::move(match.path_values);
  auto writer = std::make_shared<QueueWriter>(queue, server_.error_body(500, "internal error"));
  server_.executor.post([handler = match.handler, request, writer]() mutable {
    try {
      (*handler)(std::move(request), std::move(writer));
    } catch (const std::exception&) {
      // The writer is dropped, which answers 500.
    }
  });
}

// Sends what the queue has until the response is whole; false when it never will be.
Task<bool> Connection::send(ResponseQueue* queue) {
  while (!gone_) {
    auto piece = queue->take();
    if (piece.complete) co_return true;
    if (piece.broken) co_return false;
    if (piece.bytes.empty()) {
      co_await wait_for_signal();
      continue;
    }
    const bool written = co_await write(std::move(piece.bytes), queue);
    if (!written) co_return false;
  }
  co_return false;
}

// The time limit is for each step: a client that takes bytes, however few, is not cut off.
Task<bool> Connection::write(std::string bytes, ResponseQueue* queue) {
  for (size_t done = 0; done < bytes.size();) {
    error_code error;
    stream_.expires_after(milliseconds(server_.options.write_timeout_ms));
    const auto rest = net::buffer(bytes.data() + done, bytes.size() - done);
    const size_t count = co_await stream_.async_write_some(rest, into(error));
    if (error) co_return false;
    done += count;
    if (queue != nullptr) queue->sent(count);
  }
  co_return true;
}

// Reads while the response is awaited: notices a client that leaves, and keeps what it sends ahead.
Task<void> Connection::watch() {
  while (!answered_ && buffer_.size() < kMaxPipelinedBytes) {
    error_code error;
    // Only the timer of the operation that is not pending is set: a write in progress keeps its own.
    stream_.expires_never();
    const size_t count = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), into(error));
    if (!error) {
      buffer_.commit(count);
      continue;
    }
    if (!answered_ || error != net::error::operation_aborted) abort();
    break;
  }
  watching_ = false;
  signal_.cancel();
}

Task<void> Connection::end_watch() {
  if (watching_) stream_.cancel();
  while (watching_) co_await wait_for_signal();
}

Task<void> Connection::wait_for_signal() {
  error_code error;
  co_await signal_.async_wait(into(error));
}

void Connection::abort() {
  error_code error;
  gone_ = true;
  stream_.socket().close(error);
  signal_.cancel();
}

Task<void> Connection::send_error(int status, std::string message) {
  const std::string body = server_.error_body(status, message);
  ResponseHead head{.status = status};
  if (status == 503) head.headers.emplace_back("Retry-After", "1");
  const Framing framing{.keep_alive = false, .request_id = make_request_id()};
  std::string bytes = head_text(head, framing, body.size()) + body;
  const bool written = co_await write(std::move(bytes), nullptr);
  if (written) co_await close();
}

// Closing with unread bytes would make the kernel reset the connection, and the client might lose the response: what it
// still sends is read and dropped for a while.
Task<void> Connection::close() {
  error_code error;
  stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(kLingerTime);
  buffer_.clear();
  idle_ = true;
  const auto space = buffer_.prepare(4096);
  for (uint64_t dropped = 0; !error && !server_.stopping && dropped < kMaxDiscardedBytes;) {
    dropped += co_await stream_.async_read_some(space, into(error));
  }
}

Task<void> Connection::refuse() { co_await send_error(503, "too many connections"); }

Status Server::open() {
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

Task<void> Server::accept() {
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

void Server::start(tcp::socket socket) {
  const size_t before = connections.size();
  if (before >= options.max_connections + kMaxRefusals) return;
  auto connection = std::make_shared<Connection>(*this, std::move(socket));
  const bool serve = before < options.max_connections;
  net::co_spawn(
      io, [connection, serve] { return serve ? connection->serve() : connection->refuse(); }, net::detached);
}

void Server::begin_stop(uint32_t grace_ms) {
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

void Server::ended(Connection* connection) {
  connections.erase(connection);
  if (stopping && connections.empty()) grace.cancel();
}

}  // namespace

struct HttpServer::Impl : Server {
  using Server::Server;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ServerOptions& options, const Router& router,
                                                       Executor& executor, ErrorBody error_body) {
  auto impl = std::make_unique<Impl>(options, router, executor, std::move(error_body));
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
