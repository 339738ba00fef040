#include "base/subprocess.h"

#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace rockllama {
namespace {

// posix_spawn's two option objects, freed at the end of their life.
struct SpawnOptions {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnOptions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

void pass_descriptors(const std::vector<std::pair<int, int>>& descriptors, SpawnOptions* options) {
  int highest = 2;
  for (const auto& [ours, theirs] : descriptors) {
    posix_spawn_file_actions_adddup2(&options->actions, ours, theirs);
    highest = std::max(highest, theirs);
  }
  posix_spawn_file_actions_addclosefrom_np(&options->actions, highest + 1);
}

void reset_signals(SpawnOptions* options) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&options->attributes, &none);
  posix_spawnattr_setsigdefault(&options->attributes, &all);
  posix_spawnattr_setflags(&options->attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// Returns early when the process ends, at the latest after `timeout_ms`.
void sleep_until_end(pid_t pid, int timeout_ms) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) {  // a kernel before 5.3
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(timeout_ms, 5)));
    return;
  }
  pollfd waited{process.get(), POLLIN, 0};
  (void)::poll(&waited, 1, timeout_ms);
}

}  // namespace

std::string to_string(const ExitStatus& status) {
  if (status.signal == 0) return "exit code " + std::to_string(status.code);
  const char* name = strsignal(status.signal);
  return "signal " + std::to_string(status.signal) + " (" + (name != nullptr ? name : "unknown") + ")";
}

Result<Subprocess> Subprocess::spawn(const std::vector<std::string>& argv,
                                     const std::vector<std::pair<int, int>>& descriptors) {
  SpawnOptions options;
  pass_descriptors(descriptors, &options);
  reset_signals(&options);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, arguments[0], &options.actions, &options.attributes, arguments.data(), environ);
  if (error != 0) return fail(ErrorCode::kIo, "cannot start " + argv[0] + ": " + std::strerror(error));
  return Subprocess(pid);
}

Subprocess::~Subprocess() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  (void)wait(-1);
}

void Subprocess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<ExitStatus> Subprocess::wait(int timeout_ms) {
  const double deadline = steady_ms() + timeout_ms;
  for (;;) {
    int status = 0;
    const pid_t done = ::waitpid(pid_, &status, timeout_ms < 0 ? 0 : WNOHANG);
    if (done == pid_) {
      pid_ = -1;
      return WIFSIGNALED(status) ? ExitStatus{0, WTERMSIG(status)} : ExitStatus{WEXITSTATUS(status), 0};
    }
    if (done < 0 && errno != EINTR) return ExitStatus{};
    const double left_ms = deadline - steady_ms();
    if (timeout_ms >= 0 && left_ms <= 0) return std::nullopt;
    if (timeout_ms >= 0) sleep_until_end(pid_, static_cast<int>(left_ms) + 1);
  }
}

std::string executable_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return ".";
  return std::filesystem::path(std::string(path.data(), static_cast<size_t>(size))).parent_path().string();
}

}  // namespace rockllama
