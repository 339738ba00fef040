// What this process writes to stdout and stderr, the vendor's library included: passed on to where it went before, and
// the last lines kept. One per process; any thread. When a fatal signal comes, what was written before is passed on
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace rockllama::rkllm {

class LogTap {
 public:
  // kIo without descriptors, kConflict where there is one already.
  [[nodiscard]] static Result<std::unique_ptr<LogTap>> start(size_t lines);
  ~LogTap();
  LogTap(const LogTap&) = delete;
  LogTap& operator=(const LogTap&) = delete;

  // The last lines, oldest first, up to everything that was written before the call; of those that come after `mark`.
  [[nodiscard]] std::vector<std::string> lines(uint64_t mark = 0);
  // Stands for everything that was written before the call.
  [[nodiscard]] uint64_t mark();

 private:
  class Impl;
  explicit LogTap(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama::rkllm
