// How a connection reads its requests.
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <limits>

#include "base/posix_file_system.h"
#include "http/connection.h"
#include "http/request_id.h"
#include "http/target.h"

namespace rockllama::http {
namespace {

using std::chrono::milliseconds;

constexpr size_t kFirstReadBytes = 512;
constexpr size_t kFilePieceBytes = 1 << 20;
constexpr milliseconds kCloseAfter{1000};

}  // namespace

Task<bool> Connection::wait_for_request(bool first) {
  parser_.reset();
  if (buffer_.size() == 0 && host_.stopping) co_return false;
  limit_reading(first ? host_.options.header_timeout_ms : host_.options.idle_timeout_ms);
  if (buffer_.size() == 0) {
    buffer_.shrink_to_fit();
    error_code error;
    idle_ = true;
    const size_t count = co_await stream_.async_read_some(buffer_.prepare(kFirstReadBytes), into(error));
    idle_ = false;
    if (error) co_return false;
    buffer_.commit(count);
  }
  if (!first) limit_reading(host_.options.header_timeout_ms);
  co_return true;
}

Task<int> Connection::read_request() {
  const int status = co_await read_header_and_body();
  deadline_.cancel();
  co_return status == 0 && late_ ? 408 : status;
}

Task<int> Connection::read_header_and_body() {
  parser_.emplace();
  parser_->header_limit(host_.options.header_limit_bytes);
  parser_->body_limit(std::numeric_limits<uint64_t>::max());
  body_file_.reset();
  error_code error;
  co_await beast::http::async_read_header(stream_, buffer_, *parser_, into(error));
  if (error) co_return status_of(error);
  const auto& head = parser_->get();
  const auto path = parse_target({head.target().data(), head.target().size()}).path;
  const BodyFile* const wanted = host_.router.match(std::string(head.method_string()), path).body_file;
  const uint64_t limit = wanted != nullptr ? wanted->limit_bytes : host_.options.body_limit_bytes;
  if (parser_->content_length().value_or(0) > limit) co_return 413;
  parser_->body_limit(limit);
  if (parser_->is_done()) co_return kRead;
  limit_reading(host_.options.body_timeout_ms);
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
  const std::function<Status()> open = [this, &wanted, head]() -> Status {
    auto file = open_body_file(wanted, *head);
    if (!file) return fail(file.error());
    body_file_ = std::move(*file);
    return {};
  };
  Status status = co_await run_on_executor(open);
  if (!status) co_return status_of(status.error());
  std::string& piece = parser_->get().body();
  uint64_t received = 0, due = host_.options.body_limit_bytes;
  while (!parser_->is_done() && !late_) {
    error_code error;
    co_await beast::http::async_read_some(stream_, buffer_, *parser_, into(error));
    if (error) co_return status_of(error);
    if (piece.size() < kFilePieceBytes && !parser_->is_done()) continue;
    const std::function<Status()> write = [this, &piece] { return write_descriptor(body_file_.get(), piece); };
    status = co_await run_on_executor(write);
    if (!status) co_return status_of(status.error());
    received += piece.size();
    piece.clear();
    if (received < due) continue;
    due += host_.options.body_limit_bytes;
    limit_reading(host_.options.body_timeout_ms);
  }
  co_return parser_->is_done() ? kRead : 0;
}

// Beast's own timer closes the socket, so that nobody can be told: it comes later, for a read that began as this one
// ended.
void Connection::limit_reading(uint32_t time_ms) {
  late_ = false;
  stream_.transport().expires_after(milliseconds(time_ms) + kCloseAfter);
  deadline_.expires_after(milliseconds(time_ms));
  deadline_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || self == nullptr || self->deadline_.expiry() > std::chrono::steady_clock::now()) return;
    self->late_ = true;
    self->stream_.transport().cancel();
  });
}

// For file calls: the HTTP thread waits for no disk.
Task<Status> Connection::run_on_executor(std::function<Status()> work) {
  const auto result = std::make_shared<std::optional<Status>>();
  host_.executor.post([self = shared_from_this(), work = std::move(work), result]() mutable {
    const Status status = work();
    // The connection ends on the HTTP thread.
    auto& io = self->host_.io;
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

}  // namespace rockllama::http
