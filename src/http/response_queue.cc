#include "http/response_queue.h"

#include <utility>

namespace rockllama::http {

ResponseQueue::ResponseQueue(Framing framing, uint64_t output_limit, Outlet outlet)
    : framing_(std::move(framing)), output_limit_(output_limit), outlet_(std::move(outlet)) {}

void ResponseQueue::respond(const ResponseHead& head, const std::string& body) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kNothing) return;
  state_ = State::kFinished;
  std::string bytes = head_text(head, framing_, body.size());
  if (!framing_.head_only) bytes += body;
  append(std::move(bytes));
  signal();
}

void ResponseQueue::begin(const ResponseHead& head) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kNothing) return;
  state_ = State::kStreaming;
  chunked_ = framing_.chunked && !head.length;
  append(head_text(head, framing_, head.length));
  if (!queued_.empty()) signal();
}

void ResponseQueue::write(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming || bytes.empty() || framing_.head_only) return;
  if (pending_ + bytes.size() > output_limit_) {
    state_ = State::kBroken;
    overflowed_ = true;
    queued_.clear();
    woken_ = false;
  } else {
    append(chunked_ ? chunk_text(bytes) : bytes);
  }
  if (!queued_.empty() || state_ == State::kBroken) signal();
}

void ResponseQueue::finish() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming) return;
  state_ = State::kFinished;
  if (chunked_ && !framing_.head_only) append(std::string(kLastChunk));
  signal();
}

void ResponseQueue::watch(std::function<void()> closed, std::function<void()> drained) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      closed_ = std::move(closed);
      drained_ = std::move(drained);
      return;
    }
    if (!left_) return;
  }
  if (closed) closed();
}

size_t ResponseQueue::pending_bytes() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

void ResponseQueue::abandon(const std::string& error_body) {
  respond({.status = 500}, error_body);
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming) return;
  state_ = State::kBroken;
  signal();
}

ResponseQueue::Piece ResponseQueue::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  Piece piece{std::exchange(queued_, {})};
  if (piece.bytes.empty()) {
    piece.complete = state_ == State::kFinished;
    piece.broken = state_ == State::kBroken;
  }
  return piece;
}

bool ResponseQueue::overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

void ResponseQueue::sent(size_t bytes) {
  std::function<void()> drained;
  {
    const std::lock_guard lock(mutex_);
    pending_ -= bytes;
    if (pending_ == 0 && state_ == State::kStreaming) drained = drained_;
  }
  if (drained) drained();
}

void ResponseQueue::completed() { end(false); }

void ResponseQueue::client_left() {
  if (const auto closed = end(true)) closed();
}

void ResponseQueue::stop_sending() {
  std::function<size_t(std::string_view)> send_now;
  const std::lock_guard lock(mutex_);
  send_now.swap(outlet_.send_now);
}

std::function<void()> ResponseQueue::end(bool left) {
  // What the callbacks own may own a writer of this queue: they die outside the lock.
  std::function<void()> closed, drained;
  Outlet outlet;
  const std::lock_guard lock(mutex_);
  if (ended_) return {};
  ended_ = true;
  left_ = left;
  std::swap(outlet, outlet_);
  closed.swap(closed_);
  drained.swap(drained_);
  queued_ = {};
  pending_ = 0;
  return closed;
}

void ResponseQueue::append(std::string bytes) {
  if (ended_) return;
  if (pending_ == 0 && outlet_.send_now) bytes.erase(0, outlet_.send_now(bytes));
  pending_ += bytes.size();
  if (queued_.empty()) {
    queued_ = std::move(bytes);
  } else {
    queued_ += bytes;
  }
}

void ResponseQueue::signal() {
  if (woken_ || !outlet_.wake) return;
  woken_ = true;
  outlet_.wake();
}

}  // namespace rockllama::http
