// Holds the runtime's thread back while the client has no credit for a further token. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rockllama::rkllm {

class CreditGate {
 public:
  // For the next run, before it begins.
  void open(uint64_t credit) {
    const std::lock_guard lock(mutex_);
    credit_ = credit;
    stopped_ = false;
  }
  void add(uint64_t credit) {
    const std::lock_guard lock(mutex_);
    credit_ += credit;
    changed_.notify_all();
  }
  // Nothing passes any more.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  // Waits for credit and takes one; false after stop().
  [[nodiscard]] bool pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || credit_ > 0; });
    if (stopped_) return false;
    --credit_;
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t credit_ = 0;
  bool stopped_ = false;
};

}  // namespace rockllama::rkllm
