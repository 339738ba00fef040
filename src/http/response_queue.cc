#include "http/response_queue.h"

#include <utility>

namespace rockllama::http {

ResponseQueue::ResponseQueue(Framing framing, uint64_t output_limit, std::function<void()> wake)
    : framing_(std::move(framing)), output_limit_(output_limit), wake_(std::move(wake)) {}

void ResponseQueue::respond(const ResponseHead& head, const std::string& body) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kNothing) return;
  state_ = State::kFinished;
  append(head_text(head, framing_, body.size()));
  if (!framing_.head_only) append(body);
  signal();
}

void ResponseQueue::begin(const ResponseHead& head) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kNothing) return;
  state_ = State::kStreaming;
  chunked_ = framing_.chunked && !head.length;
  append(head_text(head, framing_, head.length));
  signal();
}

void ResponseQueue::write(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming || bytes.empty() || framing_.head_only) return;
  if (pending_ + bytes.size() > output_limit_) {
    state_ = State::kBroken;
    queued_.clear();
  } else {
    append(chunked_ ? chunk_text(bytes) : bytes);
  }
  signal();
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

std::function<void()> ResponseQueue::end(bool left) {
  // What the callbacks own may own a writer of this queue: they die outside the lock.
  std::function<void()> wake, closed, drained;
  const std::lock_guard lock(mutex_);
  if (ended_) return {};
  ended_ = true;
  left_ = left;
  wake.swap(wake_);
  closed.swap(closed_);
  drained.swap(drained_);
  queued_ = {};
  pending_ = 0;
  return closed;
}

void ResponseQueue::append(std::string bytes) {
  if (ended_) return;
  pending_ += bytes.size();
  if (queued_.empty()) {
    queued_ = std::move(bytes);
  } else {
    queued_ += bytes;
  }
}

void ResponseQueue::signal() {
  if (woken_ || !wake_) return;
  woken_ = true;
  wake_();
}

}  // namespace rockllama::http
