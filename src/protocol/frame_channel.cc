#include "protocol/frame_channel.h"

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

size_t frame_size(const Header& header) {
  size_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) size |= static_cast<size_t>(header[i]) << (8 * i);
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

// The bytes read: `size` unless the stream ended before; -1 on failure. A descriptor that comes along goes to `fd`.
ssize_t read_fully(int socket, void* buffer, size_t size, UniqueFd* fd) {
  size_t done = 0;
  while (done < size) {
    Control control;
    iovec part{static_cast<char*>(buffer) + done, size - done};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == ECONNRESET ? static_cast<ssize_t>(done) : -1;
    take_descriptors(&message, fd);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

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
  Frame frame;
  Header header{};
  const ssize_t count = read_fully(socket_.get(), header.data(), header.size(), &frame.fd);
  if (count < 0) return fail(ErrorCode::kIo, "reading a frame failed");
  if (count == 0) return std::nullopt;
  if (static_cast<size_t>(count) < header.size()) return fail(ErrorCode::kCorrupt, "the stream ended inside a frame");
  const size_t size = frame_size(header);
  if (size > kMaxFrameBytes) return fail(ErrorCode::kCorrupt, "a frame is over the size limit");
  if (const Status read = read_body(socket_.get(), size, &frame); !read) return fail(read.error());
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
