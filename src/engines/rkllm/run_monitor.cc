#include "engines/rkllm/run_monitor.h"

#include <chrono>

namespace rockllama::rkllm {
namespace {

using Clock = std::chrono::steady_clock;

// A runtime that is back from a run, does not run and has said neither FINISH nor ERROR is given this long.
constexpr auto kLastWord = std::chrono::seconds(2);
constexpr auto kMonitorStep = std::chrono::milliseconds(20);

}  // namespace

void RunMonitor::begins(const RunSink* sink, InferMode mode) {
  const std::scoped_lock lock(sink_mutex_, mutex_);
  sink_ = sink;
  mode_ = mode;
  report_ = {};
}

void RunMonitor::take(const CallbackEvent& event) {
  hand_on(event);
  {
    const std::lock_guard lock(mutex_);
    ++events_;
    report_.hidden_layer |= !event.hidden.values.empty();
    if (report_.end == RunEnd::kSilent && event.state == CallState::kFinish) {
      report_.end = RunEnd::kFinish;
      report_.perf = event.perf;
    }
    if (report_.end == RunEnd::kSilent && event.state == CallState::kError) report_.end = RunEnd::kError;
  }
  changed_.notify_all();
}

void RunMonitor::hand_on(const CallbackEvent& event) {
  const std::lock_guard lock(sink_mutex_);
  if (sink_ == nullptr || aborter_->requested()) return;
  if (mode_ == InferMode::kLastHiddenLayer) {
    if (!event.hidden.values.empty() && sink_->on_hidden_layer) sink_->on_hidden_layer(event.hidden);
    return;
  }
  // FINISH and ERROR come with nothing, or with the whole text once more.
  if (event.state != CallState::kNormal && event.state != CallState::kWaiting) return;
  if (sink_->on_piece && !sink_->on_piece(event.piece)) aborter_->request();
}

void RunMonitor::await_end(const std::function<bool()>& is_running) {
  std::unique_lock lock(mutex_);
  auto quiet_since = Clock::now();
  uint64_t seen = events_;
  while (report_.end == RunEnd::kSilent) {
    changed_.wait_for(lock, kMonitorStep);
    lock.unlock();
    const bool running = is_running();
    lock.lock();
    if (running || events_ != seen) quiet_since = Clock::now();
    seen = events_;
    if (!running && (report_.hidden_layer || Clock::now() - quiet_since > kLastWord)) break;
  }
}

RunReport RunMonitor::ends(bool wait, const std::function<bool()>& is_running) {
  if (wait) await_end(is_running);
  const std::scoped_lock lock(sink_mutex_, mutex_);
  sink_ = nullptr;
  return report_;
}

}  // namespace rockllama::rkllm
