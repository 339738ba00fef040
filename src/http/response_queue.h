// One response on its way from a handler (any thread) to the client: framed bytes in order, what the socket does not
// take at once by way of the HTTP thread, and who is to be told when they are sent or never will be. Knows no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/response_text.h"

namespace rockllama::http {

class ResponseQueue {
 public:
  // Both are called on any thread and with a lock held, and never again once completed() or client_left() has returned.
  struct Outlet {
    std::function<void()> wake;  // take() has something new to say
    // Gives the socket what it takes at once, and how many bytes that was; empty = all goes through take(). Called
    // when nothing waits, so that a token need not wait for the HTTP thread.
    std::function<size_t(std::string_view bytes)> send_now;
  };
  // `output_limit` bytes of a stream may wait.
  ResponseQueue(Framing framing, uint64_t output_limit, Outlet outlet);

  // The handler's side; as BodyWriter says.
  void respond(const ResponseHead& head, const std::string& body);
  void begin(const ResponseHead& head);
  void write(const std::string& bytes);
  void finish();
  void watch(std::function<void()> closed, std::function<void()> drained);
  [[nodiscard]] size_t pending_bytes() const;
  // The handler gives up: 500 with `error_body` where nothing was begun, else the stream breaks off.
  void abandon(const std::string& error_body);

  // The HTTP thread's side.
  struct Piece {
    std::string bytes;      // to send now
    bool complete = false;  // nothing follows
    bool broken = false;    // nothing follows, and the client must notice that the response is not whole
  };
  [[nodiscard]] Piece take();
  // More waited than may: broken, and what is being sent is not worth waiting for.
  [[nodiscard]] bool overflowed() const;
  // The socket took so many bytes.
  void sent(size_t bytes);
  void completed();
  void client_left();
  // The socket is about to be closed: from now on nothing but take() gives bytes away.
  void stop_sending();

 private:
  enum class State : uint8_t { kNothing, kStreaming, kFinished, kBroken };

  void append(std::string bytes);  // sends what it can; the lock is held
  void signal();                   // the lock is held
  // Drops all callbacks and returns `closed`.
  std::function<void()> end(bool left);

  const Framing framing_;
  const uint64_t output_limit_;
  mutable std::mutex mutex_;
  Outlet outlet_;
  std::function<void()> closed_;
  std::function<void()> drained_;
  State state_ = State::kNothing;
  bool chunked_ = false;  // the stream that was begun
  bool overflowed_ = false;
  bool ended_ = false;  // completed or left
  bool left_ = false;
  bool woken_ = false;
  std::string queued_;
  size_t pending_ = 0;  // queued or taken, not sent
};

// The handler's handle on a queue.
class QueueWriter : public BodyWriter {
 public:
  QueueWriter(std::shared_ptr<ResponseQueue> queue, std::string abandoned_body)
      : queue_(std::move(queue)), abandoned_body_(std::move(abandoned_body)) {}
  ~QueueWriter() override { queue_->abandon(abandoned_body_); }
  void respond(ResponseHead head, std::string body) override { queue_->respond(head, body); }
  void begin(ResponseHead head) override { queue_->begin(head); }
  void write(std::string bytes) override { queue_->write(bytes); }
  void finish() override { queue_->finish(); }
  [[nodiscard]] size_t pending_bytes() const override { return queue_->pending_bytes(); }
  void watch(std::function<void()> closed, std::function<void()> drained) override {
    queue_->watch(std::move(closed), std::move(drained));
  }

 private:
  std::shared_ptr<ResponseQueue> queue_;
  std::string abandoned_body_;
};

}  // namespace rockllama::http
