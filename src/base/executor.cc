#include "base/executor.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace rockllama {

// Work due at a time, in a queue ordered by it; plain work is due at once, in order of arrival.
struct Executor::Impl {
  std::mutex mutex;
  std::condition_variable changed;
  std::multimap<double, std::function<void()>> queue;
  bool stopping = false;
  std::vector<std::thread> threads;

  void add(double due_ms, std::function<void()> work) {
    {
      const std::lock_guard lock(mutex);
      queue.emplace(due_ms, std::move(work));
    }
    changed.notify_one();
  }

  // The next piece of work that is due; empty when the pool ends.
  std::function<void()> next() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (!queue.empty() && queue.begin()->first <= steady_ms()) {
        auto work = std::move(queue.begin()->second);
        queue.erase(queue.begin());
        return work;
      }
      if (stopping) return {};
      if (queue.empty()) {
        changed.wait(lock);
      } else {
        changed.wait_for(lock, std::chrono::duration<double, std::milli>(queue.begin()->first - steady_ms()));
      }
    }
  }

  void run() {
    while (auto work = next()) work();
  }
};

Executor::Executor(int threads) : impl_(std::make_unique<Impl>()) {
  for (int i = 0; i < threads; ++i) impl_->threads.emplace_back([this] { impl_->run(); });
}

Executor::~Executor() { stop(); }

void Executor::post(std::function<void()> work) { impl_->add(0, std::move(work)); }

void Executor::post_after(int64_t delay_ms, std::function<void()> work) {
  impl_->add(steady_ms() + static_cast<double>(delay_ms), std::move(work));
}

void Executor::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

}  // namespace rockllama
