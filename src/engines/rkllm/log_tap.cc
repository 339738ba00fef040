#include "engines/rkllm/log_tap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "base/unique_fd.h"

namespace rockllama::rkllm {
namespace {

constexpr size_t kLongestLine = 4096;

void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written <= 0) return;
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// For the handler of fatal signals, which can reach nothing else.
std::atomic<int> tapped_fd = -1;
std::atomic<int> original_fd = -1;
constexpr std::array kFatal = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
std::array<struct sigaction, kFatal.size()> earlier_actions;

// Passes on what the thread has not yet, then leaves the signal to who had it before. Async-signal-safe.
void on_fatal_signal(int signal, siginfo_t* info, void*) {
  std::array<char, 4096> bytes;
  while (true) {
    const ssize_t got = ::read(tapped_fd, bytes.data(), bytes.size());
    if (got <= 0) break;
    write_all(original_fd, bytes.data(), static_cast<size_t>(got));
  }
  for (size_t i = 0; i < kFatal.size(); ++i) {
    if (kFatal[i] == signal) ::sigaction(signal, &earlier_actions[i], nullptr);
  }
  // The instruction at fault runs again; a signal that was sent is sent again.
  if (info->si_code <= 0) static_cast<void>(::raise(signal));
}

void catch_fatal_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO;
  for (size_t i = 0; i < kFatal.size(); ++i) ::sigaction(kFatal[i], &action, &earlier_actions[i]);
}

void leave_fatal_signals() {
  for (size_t i = 0; i < kFatal.size(); ++i) ::sigaction(kFatal[i], &earlier_actions[i], nullptr);
}

}  // namespace

class LogTap::Impl {
 public:
  explicit Impl(size_t most_lines) : most_lines_(most_lines) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Status start();
  std::vector<std::string> lines(uint64_t mark);
  uint64_t mark();

 private:
  void loop();
  void drain();
  void keep(std::string_view bytes);
  void end_line();

  const size_t most_lines_;
  UniqueFd old_stdout_;
  UniqueFd old_stderr_;
  UniqueFd pipe_;
  UniqueFd stop_;
  std::thread thread_;

  std::mutex mutex_;
  std::deque<std::string> lines_;
  std::string unfinished_;  // the line that is being written
  uint64_t ended_lines_ = 0;
};

Status LogTap::Impl::start() {
  std::array<int, 2> ends{};
  old_stdout_.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  old_stderr_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!old_stdout_.valid() || !old_stderr_.valid() || !stop_.valid() || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::kIo, "There is no pipe for the log of the RKLLM runtime.");
  }
  pipe_.reset(ends[0]);
  const UniqueFd writing(ends[1]);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  std::fflush(stdout);
  // Behind a pipe it would be written in blocks, too late to be read.
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  tapped_fd = pipe_.get();
  original_fd = old_stderr_.get();
  catch_fatal_signals();
  thread_ = std::thread([this] { loop(); });
  ::dup2(writing.get(), STDOUT_FILENO);
  ::dup2(writing.get(), STDERR_FILENO);
  return {};
}

LogTap::Impl::~Impl() {
  if (!thread_.joinable()) return;
  std::fflush(stdout);
  ::dup2(old_stdout_.get(), STDOUT_FILENO);
  ::dup2(old_stderr_.get(), STDERR_FILENO);
  constexpr uint64_t kOne = 1;
  static_cast<void>(::write(stop_.get(), &kOne, sizeof(kOne)));
  thread_.join();
  leave_fatal_signals();
  drain();
}

void LogTap::Impl::loop() {
  while (true) {
    std::array<pollfd, 2> watched{{{pipe_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    drain();
    if (watched[1].revents != 0) return;
  }
}

void LogTap::Impl::drain() {
  const std::lock_guard lock(mutex_);
  std::array<char, 4096> bytes;
  while (true) {
    const ssize_t got = ::read(pipe_.get(), bytes.data(), bytes.size());
    if (got <= 0) return;
    // Which of the two it was written to is not known; both have one reader in the server.
    write_all(old_stderr_.get(), bytes.data(), static_cast<size_t>(got));
    keep({bytes.data(), static_cast<size_t>(got)});
  }
}

void LogTap::Impl::keep(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte == '\n') {
      end_line();
    } else if (unfinished_.size() < kLongestLine) {
      unfinished_ += byte;
    }
  }
}

void LogTap::Impl::end_line() {
  lines_.push_back(std::exchange(unfinished_, {}));
  ++ended_lines_;
  if (lines_.size() > most_lines_) lines_.pop_front();
}

std::vector<std::string> LogTap::Impl::lines(uint64_t mark) {
  std::fflush(stdout);
  drain();
  const std::lock_guard lock(mutex_);
  const uint64_t wanted = ended_lines_ - std::min(ended_lines_, mark);
  const size_t count = std::min<uint64_t>(wanted, lines_.size());
  std::vector<std::string> found(lines_.end() - static_cast<std::ptrdiff_t>(count), lines_.end());
  if (!unfinished_.empty()) found.push_back(unfinished_);
  return found;
}

uint64_t LogTap::Impl::mark() {
  std::fflush(stdout);
  drain();
  const std::lock_guard lock(mutex_);
  return ended_lines_;
}

LogTap::LogTap(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogTap::~LogTap() { tapped_fd = -1; }

Result<std::unique_ptr<LogTap>> LogTap::start(size_t lines) {
  if (tapped_fd != -1) return fail(ErrorCode::kConflict, "This process has a log tap already.");
  auto impl = std::make_unique<Impl>(lines);
  if (Status started = impl->start(); !started) return fail(started.error());
  return std::unique_ptr<LogTap>(new LogTap(std::move(impl)));
}

std::vector<std::string> LogTap::lines(uint64_t mark) { return impl_->lines(mark); }
uint64_t LogTap::mark() { return impl_->mark(); }

}  // namespace rockllama::rkllm
