#include "engines/rkllm/aborter.h"

#include <chrono>
#include <utility>

namespace rockllama::rkllm {
namespace {

// How long a run that was only just handed over is given to begin inside the library.
constexpr auto kBeginStep = std::chrono::milliseconds(2);
constexpr int kBeginSteps = 100;

}  // namespace

Aborter::Aborter(Calls calls) : calls_(std::move(calls)), thread_([this] { loop(); }) {}

Aborter::~Aborter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Aborter::run_begins() {
  const std::lock_guard lock(mutex_);
  in_run_ = true;
  requested_ = false;
  due_ = false;
}

bool Aborter::run_ended() {
  std::unique_lock lock(mutex_);
  in_run_ = false;
  due_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !in_call_; });
  return requested_;
}

void Aborter::request() {
  {
    const std::lock_guard lock(mutex_);
    if (!in_run_ || requested_) return;
    requested_ = true;
    due_ = true;
  }
  changed_.notify_all();
}

bool Aborter::requested() {
  {
    const std::lock_guard lock(mutex_);
    if (!requested_) return false;
    if (!in_run_ || in_call_) return true;
    due_ = true;
  }
  changed_.notify_all();
  return true;
}

void Aborter::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || due_; });
    if (stopping_) return;
    abort_now(&lock);
  }
}

void Aborter::abort_now(std::unique_lock<std::mutex>* lock) {
  in_call_ = true;
  for (int step = 0; step < kBeginSteps && in_run_; ++step) {
    lock->unlock();
    const bool begun = calls_.is_running();
    lock->lock();
    if (begun || !in_run_) break;
    changed_.wait_for(*lock, kBeginStep);
  }
  due_ = false;
  if (in_run_) {
    lock->unlock();
    calls_.abort();
    lock->lock();
  }
  in_call_ = false;
  changed_.notify_all();
}

}  // namespace rockllama::rkllm
