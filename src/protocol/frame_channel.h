// Frames over a connected AF_UNIX stream socket: four bytes of length (little-endian), the bytes, and at most one open
// descriptor (SCM_RIGHTS) beside them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace rockllama::protocol {

struct Frame {
  std::string bytes;
  UniqueFd fd{};  // invalid where none came, also when this process had no descriptor left for it
};

// Two connected ends, both close-on-exec. kIo when the system has no descriptors left.
[[nodiscard]] Result<std::pair<UniqueFd, UniqueFd>> make_socket_pair();

// send may be called from any thread, receive from one at a time; both block.
class FrameChannel {
 public:
  explicit FrameChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  // Sends a whole frame; `fd` stays the caller's. kTooLarge above kMaxFrameBytes (nothing was sent), kIo when the
  // other end is gone: the channel is of no use then.
  [[nodiscard]] Status send(std::string_view bytes, int fd = -1);
  // The next frame; nothing at the end of the stream. kCorrupt for a frame over kMaxFrameBytes or a stream that ends
  // inside a frame, kIo when the socket fails: the channel is of no use then.
  [[nodiscard]] Result<std::optional<Frame>> receive();
  // Ends both directions and wakes whoever blocks in send or receive. Any thread; idempotent.
  void close();

 private:
  // Of the stream, read ahead of the frames that were asked for: one call into the kernel brings many small frames.
  struct Ahead {
    std::string bytes;
    size_t taken = 0;       // of `bytes`
    uint64_t position = 0;  // in the stream, behind what is taken
    // Descriptors that came, and the position of the last byte that came with each: a byte of its frame.
    std::deque<std::pair<uint64_t, UniqueFd>> descriptors;
    [[nodiscard]] std::string_view rest() const { return std::string_view(bytes).substr(taken); }
  };
  // False at the end of the stream.
  [[nodiscard]] Result<bool> read_ahead();
  // What was read ahead of a frame of `size` bytes: all of it, or its begin.
  [[nodiscard]] Frame take_ahead(size_t size);

  UniqueFd socket_;
  std::mutex send_mutex_;
  Ahead ahead_;  // the receiver's
};

// Sends frames from a thread of its own, so that nobody waits for an end that does not read. Any thread may post.
class FrameWriter {
 public:
  // Holds at most `limit_bytes` of frames that are not sent yet. The channel must outlive the writer.
  FrameWriter(FrameChannel* channel, size_t limit_bytes);
  // Closes the channel; what is not sent yet is dropped.
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // Whether post would not close the channel over the limit; another thread may take the room.
  [[nodiscard]] bool has_room(size_t bytes);
  // Never blocks. When the queue is over its limit, or sending failed, the channel is closed: its reader sees the end.
  // False from then on.
  bool post(std::string bytes, UniqueFd fd = {});

 private:
  void run();
  std::optional<Frame> next();
  void fail_channel();

  FrameChannel* channel_;
  size_t limit_bytes_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Frame> queue_;
  size_t queued_bytes_ = 0;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace rockllama::protocol
