#include "engines/rkllm/runtime_thread.h"

#include <utility>

namespace rockllama::rkllm {

RuntimeThread::RuntimeThread() : thread_([this] { work(); }) {}

RuntimeThread::~RuntimeThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  job_came_.notify_all();
  thread_.join();
}

void RuntimeThread::begin(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  job_ = std::move(job);
  job_came_.notify_all();
}

void RuntimeThread::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      job_came_.wait(lock, [this] { return ending_ || job_ != nullptr; });
      if (ending_) return;
      job = std::exchange(job_, nullptr);
    }
    job();
  }
}

void RuntimeThread::tell(std::function<void()> news) {
  const std::lock_guard lock(mutex_);
  news_.push_back(std::move(news));
  news_came_.notify_all();
}

void RuntimeThread::wake() {
  const std::lock_guard lock(mutex_);
  awake_ = true;
  news_came_.notify_all();
}

void RuntimeThread::take_news(std::chrono::milliseconds limit) {
  std::deque<std::function<void()>> news;
  {
    std::unique_lock lock(mutex_);
    news_came_.wait_for(lock, limit, [this] { return awake_ || !news_.empty(); });
    awake_ = false;
    news.swap(news_);
  }
  for (const std::function<void()>& one : news) one();
}

}  // namespace rockllama::rkllm
