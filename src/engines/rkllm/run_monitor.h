// What the runtime says during one run: hands pieces on, and knows whether and how the run ended. begins() and ends()
// on the thread of the run, take() on any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "engines/rkllm/aborter.h"
#include "engines/rkllm/binding.h"
#include "engines/rkllm/run_rules.h"
#include "engines/rkllm/runtime.h"

namespace rockllama::rkllm {

class RunMonitor {
 public:
  explicit RunMonitor(Aborter* aborter) : aborter_(aborter) {}

  // `sink` outlives the run.
  void begins(const RunSink* sink, InferMode mode);
  void take(const CallbackEvent& event);
  // After the call returned: where `wait`, until FINISH or ERROR came, as long as the runtime runs and a little longer.
  // Nothing is handed on after it.
  [[nodiscard]] RunReport ends(bool wait, const std::function<bool()>& is_running);

 private:
  void await_end(const std::function<bool()>& is_running);
  void hand_on(const CallbackEvent& event);

  Aborter* aborter_;
  std::mutex sink_mutex_;  // held while the sink is called
  const RunSink* sink_ = nullptr;
  InferMode mode_ = InferMode::kGenerate;

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t events_ = 0;
  RunReport report_{};
};

}  // namespace rockllama::rkllm
