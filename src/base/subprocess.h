// A child process. The thread that spawns it must live as long as the child should: children that ask for
// PR_SET_PDEATHSIG die with that thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rockllama {

// How a child ended.
struct ExitStatus {
  int code = 0;    // exit code, where signal is 0
  int signal = 0;  // the signal that killed it, or 0
  bool operator==(const ExitStatus&) const = default;
};
// "exit code 1", "signal 11 (Segmentation fault)"
[[nodiscard]] std::string to_string(const ExitStatus& status);

class Subprocess {
 public:
  // Runs argv[0] (a path) with default signal handling. The child gets 0, 1, 2 and the pairs of `descriptors`
  // (ours, its number there; 1 and 2 take the place of ours); all others are closed. Our descriptors stay open. kIo on
  // failure.
  [[nodiscard]] static Result<Subprocess> spawn(const std::vector<std::string>& argv,
                                                const std::vector<std::pair<int, int>>& descriptors);
  Subprocess(Subprocess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Subprocess& operator=(Subprocess&&) = delete;
  // Kills and reaps a child that still runs.
  ~Subprocess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Any signal; nothing happens once the child was reaped.
  void signal(int number) const;
  // Waits up to `timeout_ms` (-1 = for ever) for the end; nothing when it still runs.
  [[nodiscard]] std::optional<ExitStatus> wait(int timeout_ms);

 private:
  explicit Subprocess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// Folder of the running executable.
[[nodiscard]] std::string executable_folder();

}  // namespace rockllama
