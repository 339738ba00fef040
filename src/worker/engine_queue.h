// What waits for the engine thread. Any thread may push; the engine thread takes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "base/unique_fd.h"
#include "protocol/messages.h"
#include "worker/prepare_queue.h"
#include "worker/preparer.h"

namespace rockllama {

struct StartWork {
  PreparedGeneration prepared;
  uint32_t credit = 0;
  UniqueFd state{};
};

struct KeepWork {
  protocol::Keep command;
  UniqueFd file{};
};

using EngineWork = std::variant<StartWork, PlannedSave, EmbeddingTask, KeepWork, protocol::Credit, protocol::Cancel,
                                protocol::Shutdown>;

class EngineQueue {
 public:
  void push(EngineWork work) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    changed_.notify_one();
  }
  // All that waits; with `wait`, blocks until there is something.
  [[nodiscard]] std::vector<EngineWork> take(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) changed_.wait(lock, [this] { return !waiting_.empty(); });
    return std::exchange(waiting_, {});
  }
  // The same; blocks at most so long, and returns nothing then.
  [[nodiscard]] std::vector<EngineWork> take_within(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [this] { return !waiting_.empty(); });
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<EngineWork> waiting_;
};

}  // namespace rockllama
