// Decides when a worker hangs: no progress for a time that is scaled by the work asked at the measured speed. Pure:
// takes the time, knows no clock and no thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "domain/generation.h"

namespace rockllama {

class ProgressWatch {
 public:
  // `floor_ms`: what every wait is given at least. `block_tokens`: the largest piece of prefill between two signs of
  // life; 0 = a prompt is prefilled in one piece. `prefill_speed`: as measured in the process before, tokens per
  // second; 0 = not yet.
  ProgressWatch(double floor_ms, uint32_t block_tokens, double prefill_speed = 0);

  void load_asked(uint64_t model_bytes, double now_ms);
  void loaded(uint64_t kv_bytes_per_token);
  void prepare_asked(RequestId id, uint64_t prompt_bytes, double now_ms);
  void prepared(RequestId id);
  // `state_bytes`: of the file that may have to be restored first; 0 = none.
  void start_asked(RequestId id, uint32_t credit, uint64_t state_bytes, double now_ms);
  // Before save_asked: the state to be made begins with `tokens` tokens from a file.
  void lent(RequestId id, uint32_t tokens, double now_ms);
  // `text_bytes`: of what is prefilled for it.
  void save_asked(RequestId id, double now_ms, uint64_t text_bytes = 0);
  // `text_bytes`: of what is prefilled for its answer.
  void question_asked(RequestId id, uint64_t text_bytes, double now_ms);
  // To write a state of `bytes` that is there already.
  void write_asked(RequestId id, uint64_t bytes, double now_ms);
  void credit_added(RequestId id, uint32_t tokens, double now_ms);
  void restoring(RequestId id, double now_ms);
  // `cached_tokens`: the part of the prompt that need not be prefilled.
  void started(RequestId id, uint32_t cached_tokens, double now_ms);
  // `done_tokens` counts from the start of the prompt, cached tokens too.
  void prefilled(RequestId id, uint32_t done_tokens, uint32_t total_tokens, double now_ms);
  void generated(RequestId id, uint32_t tokens, double now_ms);
  void ended(RequestId id, double now_ms);  // finished, failed, cancelled, state saved, answered

  // Why the worker counts as hung, for people; nothing while it may still be working.
  [[nodiscard]] std::optional<std::string> hung(double now_ms) const;
  // The time that files which are being read and written now may take on the slowest device.
  [[nodiscard]] double disk_patience_ms() const;
  // Tokens per second of prefill, as measured; 0 = not yet.
  [[nodiscard]] double prefill_speed() const { return prefill_speed_; }

 private:
  struct Task {
    bool running = false;  // admitted by the engine (a state is always)
    bool endless_credit = false;
    bool saves = false;
    int64_t credit = 0;
    uint32_t prefilled = 0;
    double prefilled_at_ms = 0;
    uint64_t state_bytes = 0;
    double disk_ms = 0;  // patience with the file that is being read or written now
  };
  void measure(Task* task, uint32_t done_tokens, double now_ms);
  [[nodiscard]] bool engine_owes_progress() const;
  [[nodiscard]] double engine_patience_ms() const;
  [[nodiscard]] double step_tokens() const;

  double floor_ms_;
  uint32_t block_tokens_;
  double prefill_speed_ = 0;
  uint64_t kv_bytes_per_token_ = 0;
  std::optional<double> load_deadline_ms_;
  std::map<RequestId, double> prepare_deadlines_ms_;
  std::map<RequestId, Task> tasks_;
  std::map<RequestId, uint64_t> text_bytes_;  // of those whose prefill is still to come, or goes on
  double last_progress_ms_ = 0;
};

}  // namespace rockllama
