#include "protocol/frame_channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "protocol/messages.h"

namespace rockllama::protocol {
namespace {

constexpr size_t kHeaderBytes = 4;
using Header = std::array<unsigned char, kHeaderBytes>;

Header make_header(size_t size) {
  Header header{};
  for (size_t i = 0; i < kHeaderBytes; ++i) header[i] = static_cast<unsigned char>(size >> (8 * i));
  return header;
}

// Of what begins with a header.
size_t frame_size(std::string_view bytes) {
  size_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) size |= size_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return size;
}

// Room for the control message of one descriptor.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

void attach_descriptor(int fd, Control* control, msghdr* message) {
  message->msg_control = control->bytes.data();
  message->msg_controllen = control->bytes.size();
  cmsghdr* part = CMSG_FIRSTHDR(message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(part), &fd, sizeof(fd));
}

// Padding leaves room for a second descriptor; whatever came must be owned, or it leaks.
void take_descriptors(msghdr* message, UniqueFd* into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
      UniqueFd owned(fd);
      if (!into->valid()) *into = std::move(owned);
    }
  }
}

// Drops the first `sent` bytes of what is still to send.
void advance(msghdr* message, size_t sent) {
  for (; message->msg_iovlen > 0; ++message->msg_iov, --message->msg_iovlen) {
    iovec* part = message->msg_iov;
    if (sent < part->iov_len) {
      part->iov_base = static_cast<char*>(part->iov_base) + sent;
      part->iov_len -= sent;
      return;
    }
    sent -= part->iov_len;
  }
}

// One read of at most `size` bytes, 0 at the end of the stream, -1 on failure. A descriptor that comes along goes to
// `fd`.
ssize_t read_some(int socket, void* buffer, size_t size, UniqueFd* fd) {
  for (;;) {
    Control control;
    iovec part{buffer, size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == ECONNRESET ? 0 : -1;
    take_descriptors(&message, fd);
    return count;
  }
}

// The bytes read: `size` unless the stream ended before; -1 on failure.
ssize_t read_fully(int socket, char* buffer, size_t size, UniqueFd* fd) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = read_some(socket, buffer + done, size - done, fd);
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

// A reader that sleeps in recvmsg is woken each time the other end takes what this end has sent; one in poll is not.
void await_input(int socket) {
  pollfd wanted{socket, POLLIN, 0};
  while (::poll(&wanted, 1, -1) < 0 && errno == EINTR) continue;
}

constexpr size_t kAheadBytes = 8 << 10;
// A body that never comes must not cost its announced size, so memory grows with what is there.
constexpr size_t kReadBytes = 1u << 20;

Status read_body(int socket, size_t size, Frame* frame) {
  while (frame->bytes.size() < size) {
    const size_t from = frame->bytes.size();
    const size_t part = std::min(kReadBytes, size - from);
    frame->bytes.resize(from + part);
    const ssize_t count = read_fully(socket, frame->bytes.data() + from, part, &frame->fd);
    if (count < 0) return fail(ErrorCode::kIo, "reading a frame failed");
    if (static_cast<size_t>(count) < part) return fail(ErrorCode::kCorrupt, "the stream ended inside a frame");
  }
  return {};
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(ErrorCode::kIo, "cannot make a socket pair");
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Status FrameChannel::send(std::string_view bytes, int fd) {
  if (bytes.size() > kMaxFrameBytes) return fail(ErrorCode::kTooLarge, "a frame is over the size limit");
  Header header = make_header(bytes.size());
  std::array<iovec, 2> parts{iovec{header.data(), header.size()}, iovec{const_cast<char*>(bytes.data()), bytes.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  Control control;
  if (fd >= 0) attach_descriptor(fd, &control, &message);

  const std::lock_guard lock(send_mutex_);
  for (size_t left = header.size() + bytes.size(); left > 0;) {
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(ErrorCode::kIo, "the other end of a frame channel is gone");
    left -= static_cast<size_t>(sent);
    advance(&message, static_cast<size_t>(sent));
    message.msg_control = nullptr;
    message.msg_controllen = 0;
  }
  return {};
}

Result<std::optional<Frame>> FrameChannel::receive() {
  while (ahead_.rest().size() < kHeaderBytes) {
    const auto more = read_ahead();
    if (!more) return fail(more.error());
    if (*more) continue;
    if (ahead_.rest().empty()) return std::nullopt;
    return fail(ErrorCode::kCorrupt, "the stream ended inside a frame");
  }
  const size_t size = frame_size(ahead_.rest());
  if (size > kMaxFrameBytes) return fail(ErrorCode::kCorrupt, "a frame is over the size limit");
  Frame frame = take_ahead(size);
  if (const Status read = read_body(socket_.get(), size, &frame); !read) return fail(read.error());
  return frame;
}

Result<bool> FrameChannel::read_ahead() {
  ahead_.bytes.erase(0, std::exchange(ahead_.taken, 0));
  const size_t before = ahead_.bytes.size();
  await_input(socket_.get());
  ahead_.bytes.resize(before + kAheadBytes);
  UniqueFd fd;
  const ssize_t count = read_some(socket_.get(), ahead_.bytes.data() + before, kAheadBytes, &fd);
  ahead_.bytes.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return fail(ErrorCode::kIo, "reading a frame failed");
  // The kernel ends a read behind what a descriptor was sent with.
  if (fd.valid()) ahead_.descriptors.emplace_back(ahead_.position + ahead_.bytes.size() - 1, std::move(fd));
  return count > 0;
}

Frame FrameChannel::take_ahead(size_t size) {
  Frame frame{std::string(ahead_.rest().substr(kHeaderBytes, size))};
  ahead_.taken += kHeaderBytes + frame.bytes.size();
  ahead_.position += kHeaderBytes + frame.bytes.size();
  for (auto& came = ahead_.descriptors; !came.empty() && came.front().first < ahead_.position; came.pop_front()) {
    if (!frame.fd.valid()) frame.fd = std::move(came.front().second);
  }
  return frame;
}

void FrameChannel::close() { ::shutdown(socket_.get(), SHUT_RDWR); }

FrameWriter::FrameWriter(FrameChannel* channel, size_t limit_bytes)
    : channel_(channel), limit_bytes_(limit_bytes), thread_([this] { run(); }) {}

FrameWriter::~FrameWriter() {
  fail_channel();
  thread_.join();
}

bool FrameWriter::has_room(size_t bytes) {
  const std::lock_guard lock(mutex_);
  return closed_ || queued_bytes_ + bytes <= limit_bytes_;
}

bool FrameWriter::post(std::string bytes, UniqueFd fd) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (queued_bytes_ + bytes.size() <= limit_bytes_) {
      queued_bytes_ += bytes.size();
      queue_.push_back({std::move(bytes), std::move(fd)});
      posted_.notify_one();
      return true;
    }
  }
  fail_channel();
  return false;
}

void FrameWriter::run() {
  while (std::optional<Frame> frame = next()) {
    if (!channel_->send(frame->bytes, frame->fd.get())) fail_channel();
  }
}

std::optional<Frame> FrameWriter::next() {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [this] { return closed_ || !queue_.empty(); });
  if (closed_) return std::nullopt;
  Frame frame = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= frame.bytes.size();
  return frame;
}

void FrameWriter::fail_channel() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queue_.clear();
  }
  posted_.notify_one();
  channel_->close();
}

}  // namespace rockllama::protocol
