#include "supervisor/output_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace rockllama {
namespace {

constexpr size_t kPieceBytes = 4096;

// Takes what is there now; false at the end of the stream.
bool take_what_is_there(int pipe, const OutputPipe::Take& take) {
  std::array<char, kPieceBytes> piece{};
  for (;;) {
    const ssize_t size = ::read(pipe, piece.data(), piece.size());
    if (size > 0) {
      take({piece.data(), static_cast<size_t>(size)});
    } else if (size == 0 || errno != EINTR) {
      return size != 0 && errno == EAGAIN;
    }
  }
}

}  // namespace

Status OutputPipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::kIo, "no pipe for a worker's output");
  read_end_ = UniqueFd(ends[0]);
  write_end_ = UniqueFd(ends[1]);
  finished_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!finished_.valid() || ::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    return fail(ErrorCode::kIo, "no pipe for a worker's output");
  }
  return {};
}

void OutputPipe::begin(Take take) {
  write_end_.reset();
  thread_ = std::thread([this, take = std::move(take)] { read_until_finished(take); });
}

void OutputPipe::finish() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!::write(finished_.get(), &one, sizeof one);
  thread_.join();
}

void OutputPipe::read_until_finished(const Take& take) {
  for (;;) {
    std::array<pollfd, 2> waited{{{read_end_.get(), POLLIN, 0}, {finished_.get(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
    const bool last = waited[1].revents != 0;
    if (!take_what_is_there(read_end_.get(), take) || last) return;
  }
}

}  // namespace rockllama
