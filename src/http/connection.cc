#include "http/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "http/request_id.h"
#include "http/target.h"

namespace rockllama::http {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxPipelinedBytes = 64 << 10;
constexpr size_t kAheadBytes = 512;
constexpr uint64_t kMaxDiscardedBytes = 64 << 20;
constexpr milliseconds kLingerTime{2000};
// What the kernel may hold that is not on its way yet: without a limit it takes megabytes for a client that does not
// read, and its generation would not be held back.
constexpr int kUnsentBytes = 64 << 10;
using UnsentLimit = net::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

// Any thread: the kernel takes calls of several on one socket. What fails here fails again on the HTTP thread.
size_t send_now(int socket, std::string_view bytes) {
  const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace

Connection::Connection(ConnectionHost& host, tcp::socket socket)
    : host_(host),
      stream_(std::move(socket), host.tls ? &*host.tls : nullptr),
      signal_(host.io, net::steady_timer::time_point::max()),
      deadline_(host.io) {
  host_.connections.insert(this);
}

Connection::~Connection() {
  host_.connections.erase(this);
  if (host_.stopping && host_.connections.empty()) host_.grace.cancel();
}

Task<bool> Connection::begin() {
  error_code error;
  stream_.transport().socket().set_option(tcp::no_delay(true), error);
  stream_.transport().socket().set_option(UnsentLimit(kUnsentBytes), error);
  const auto endpoint = stream_.transport().socket().remote_endpoint(error);
  if (!error) remote_address_ = endpoint.address().to_string();
  stream_.transport().expires_after(milliseconds(host_.options.header_timeout_ms));
  idle_ = true;
  const bool begun = co_await stream_.begin();
  idle_ = false;
  co_return begun;
}

Task<void> Connection::serve() {
  const bool begun = co_await begin();
  if (!begun) co_return;
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

Task<bool> Connection::answer() {
  const auto request = make_request();
  const auto queue = make_queue(*request);
  const bool keep = parser_->get().keep_alive();
  parser_.reset();
  answered_ = false;
  watching_ = true;
  net::co_spawn(
      host_.io, [self = shared_from_this()] { return self->watch(); }, net::detached);
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
  const bool again = whole && keep && !host_.stopping;
  co_return again;
}

std::shared_ptr<ResponseQueue> Connection::make_queue(const Request& request) {
  const Framing framing{.head_only = request.method == "HEAD",
                        .chunked = parser_->get().version() >= 11,
                        .keep_alive = parser_->get().keep_alive() && !host_.stopping,
                        .request_id = request.id,
                        .headers = cors_headers(host_.options.cors, request)};
  ResponseQueue::Outlet outlet;
  outlet.wake = [self = shared_from_this()] { net::post(self->host_.io, [self] { self->take_news(); }); };
  if (stream_.is_plain()) {
    const int socket = stream_.transport().socket().native_handle();
    outlet.send_now = [socket](std::string_view bytes) { return send_now(socket, bytes); };
  }
  auto queue = std::make_shared<ResponseQueue>(framing, host_.options.output_limit_bytes, std::move(outlet));
  answering_ = queue;
  return queue;
}

void Connection::take_news() {
  const auto queue = answering_.lock();
  if (queue && queue->overflowed()) return abort();
  signal_.cancel();
}

void Connection::dispatch(const std::shared_ptr<Request>& request, const std::string& raw_path,
                          const std::shared_ptr<ResponseQueue>& queue) {
  auto match = host_.router.match(request->method, raw_path);
  if (match.handler == nullptr) {
    // Without the headers of an allowed origin a browser takes it for a refusal.
    if (!match.allowed.empty() && is_preflight(*request)) {
      return queue->respond({.headers = preflight_headers(*request, match.allowed)}, "");
    }
    ResponseHead head{.status = match.allowed.empty() ? 404 : 405};
    if (!match.allowed.empty()) head.headers.emplace_back("Allow", match.allowed);
    const auto* message = match.allowed.empty() ? "there is nothing at this path" : "this path has other methods";
    queue->respond(head, host_.error_body(head.status, message));
    return;
  }
  request->path_values = std::move(match.path_values);
  auto writer = std::make_shared<QueueWriter>(queue, host_.error_body(500, "internal error"));
  host_.executor.post([handler = match.handler, request, writer]() mutable {
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
    stream_.transport().expires_after(milliseconds(host_.options.write_timeout_ms));
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
    stream_.transport().expires_never();
    const size_t count = co_await stream_.async_read_some(buffer_.prepare(kAheadBytes), into(error));
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
  if (watching_) stream_.transport().cancel();
  while (watching_) co_await wait_for_signal();
}

Task<void> Connection::wait_for_signal() {
  error_code error;
  co_await signal_.async_wait(into(error));
}

void Connection::abort() {
  error_code error;
  gone_ = true;
  if (const auto queue = answering_.lock()) queue->stop_sending();
  stream_.transport().socket().close(error);
  signal_.cancel();
}

Task<void> Connection::send_error(int status, std::string message) {
  const std::string body = host_.error_body(status, message);
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
  stream_.transport().expires_after(kLingerTime);
  co_await stream_.end();
  stream_.transport().socket().shutdown(tcp::socket::shutdown_send, error);
  buffer_.clear();
  idle_ = true;
  const auto space = buffer_.prepare(4096);
  for (uint64_t dropped = 0; !error && !host_.stopping && dropped < kMaxDiscardedBytes;) {
    dropped += co_await stream_.async_read_some(space, into(error));
  }
}

Task<void> Connection::refuse() {
  const bool begun = co_await begin();
  if (begun) co_await send_error(503, "too many connections");
}

}  // namespace rockllama::http
