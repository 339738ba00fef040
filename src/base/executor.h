// A small pool of threads for work that must not run on the HTTP thread or a worker's reader thread: parsing,
// hashing, file calls. post() may be called from any thread; the destructor runs what was posted, then joins.
#pragma once

#include <functional>
#include <memory>

namespace rockllama {

class Executor {
 public:
  explicit Executor(int threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  void post(std::function<void()> work);
  // Runs `work` on the pool after `delay_ms`, unless the pool ends first.
  void post_after(int64_t delay_ms, std::function<void()> work);
  // Finishes what is queued, drops what is delayed, joins. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama
