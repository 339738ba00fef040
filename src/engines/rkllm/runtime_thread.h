// The thread on which the runtime's blocking calls are made, one job at a time, beside the engine thread; what a job
// has to tell is called on the engine thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace rockllama::rkllm {

class RuntimeThread {
 public:
  RuntimeThread();
  // Waits for the job that runs; what it has told is forgotten.
  ~RuntimeThread();
  RuntimeThread(const RuntimeThread&) = delete;
  RuntimeThread& operator=(const RuntimeThread&) = delete;

  // Engine thread; not before the last job has told that it ended.
  void begin(std::function<void()> job);
  // Any thread: `news` is called by take_news().
  void tell(std::function<void()> news);
  // Engine thread: waits so long for news at most, and calls all there is.
  void take_news(std::chrono::milliseconds limit);
  // Any thread: take_news() need not wait.
  void wake();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable job_came_;
  std::condition_variable news_came_;
  std::function<void()> job_;
  std::deque<std::function<void()>> news_;
  bool awake_ = false;
  bool ending_ = false;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace rockllama::rkllm
