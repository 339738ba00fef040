#include "supervisor/progress_watch.h"

#include <algorithm>

namespace rockllama {
namespace {

// The slowest device that is taken for alive: files at 5 MB/s on a worn card, templates at 100 kB/s, prefill at
// 2 tokens per second.
constexpr double kDiskBytesPerMs = 5e3;
constexpr double kPrepareBytesPerMs = 100;
constexpr double kSlowestPrefill = 2;
// A step may take this many times what was measured before it counts as hung.
constexpr double kSlack = 10;
// Fewer tokens than these say little of the speed: a decode call has a cost of its own.
constexpr uint32_t kMeasurableTokens = 16;
// Of a prompt in one piece.
constexpr double kBytesPerToken = 4;
constexpr double kLeastTokens = 64;

}  // namespace

ProgressWatch::ProgressWatch(double floor_ms, uint32_t block_tokens, double prefill_speed)
    : floor_ms_(floor_ms), block_tokens_(block_tokens), prefill_speed_(prefill_speed) {}

void ProgressWatch::load_asked(uint64_t model_bytes, double now_ms) {
  load_deadline_ms_ = now_ms + floor_ms_ + static_cast<double>(model_bytes) / kDiskBytesPerMs;
}

void ProgressWatch::loaded(uint64_t kv_bytes_per_token) {
  load_deadline_ms_.reset();
  kv_bytes_per_token_ = kv_bytes_per_token;
}

void ProgressWatch::prepare_asked(RequestId id, uint64_t prompt_bytes, double now_ms) {
  text_bytes_[id] = prompt_bytes;
  // Prepares run one after the other, so each waits for those before it too.
  double from = now_ms;
  for (const auto& [other, deadline] : prepare_deadlines_ms_) from = std::max(from, deadline - floor_ms_);
  prepare_deadlines_ms_[id] = from + floor_ms_ + static_cast<double>(prompt_bytes) / kPrepareBytesPerMs;
}

void ProgressWatch::prepared(RequestId id) { prepare_deadlines_ms_.erase(id); }

void ProgressWatch::start_asked(RequestId id, uint32_t credit, uint64_t state_bytes, double now_ms) {
  if (!engine_owes_progress()) last_progress_ms_ = now_ms;
  tasks_[id] = Task{.credit = credit, .state_bytes = state_bytes};
}

void ProgressWatch::lent(RequestId id, uint32_t tokens, double now_ms) {
  save_asked(id, now_ms);
  Task& task = tasks_[id];
  task.prefilled = tokens;
  task.state_bytes = kv_bytes_per_token_ * tokens;
}

void ProgressWatch::save_asked(RequestId id, double now_ms, uint64_t text_bytes) {
  text_bytes_[id] = text_bytes;
  if (!engine_owes_progress()) last_progress_ms_ = now_ms;
  tasks_.try_emplace(id, Task{.running = true, .endless_credit = true, .saves = true, .prefilled_at_ms = now_ms});
}

void ProgressWatch::question_asked(RequestId id, uint64_t text_bytes, double now_ms) {
  save_asked(id, now_ms, text_bytes);
  tasks_[id].saves = false;
}

void ProgressWatch::write_asked(RequestId id, uint64_t bytes, double now_ms) {
  save_asked(id, now_ms);
  tasks_[id].disk_ms = static_cast<double>(bytes) / kDiskBytesPerMs;
}

void ProgressWatch::credit_added(RequestId id, uint32_t tokens, double now_ms) {
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;
  if (!engine_owes_progress()) last_progress_ms_ = now_ms;
  task->second.credit += tokens;
}

void ProgressWatch::restoring(RequestId id, double now_ms) {
  last_progress_ms_ = now_ms;
  const auto task = tasks_.find(id);
  if (task != tasks_.end()) task->second.disk_ms = static_cast<double>(task->second.state_bytes) / kDiskBytesPerMs;
}

void ProgressWatch::started(RequestId id, uint32_t cached_tokens, double now_ms) {
  last_progress_ms_ = now_ms;
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;
  task->second.running = true;
  task->second.disk_ms = 0;
  task->second.prefilled = cached_tokens;
  task->second.prefilled_at_ms = now_ms;
}

void ProgressWatch::prefilled(RequestId id, uint32_t done_tokens, uint32_t total_tokens, double now_ms) {
  last_progress_ms_ = now_ms;
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;
  measure(&task->second, done_tokens, now_ms);
  // What follows the last block of a state is its file.
  if (task->second.saves && done_tokens >= total_tokens) {
    task->second.disk_ms = static_cast<double>(kv_bytes_per_token_) * done_tokens / kDiskBytesPerMs;
  }
}

void ProgressWatch::measure(Task* task, uint32_t done_tokens, double now_ms) {
  const double elapsed_ms = now_ms - task->prefilled_at_ms;
  if (done_tokens >= task->prefilled + kMeasurableTokens && elapsed_ms > 0) {
    prefill_speed_ = (done_tokens - task->prefilled) / elapsed_ms * 1000;
  }
  task->prefilled = done_tokens;
  task->prefilled_at_ms = now_ms;
}

void ProgressWatch::generated(RequestId id, uint32_t tokens, double now_ms) {
  last_progress_ms_ = now_ms;
  text_bytes_.erase(id);
  if (const auto task = tasks_.find(id); task != tasks_.end()) task->second.credit -= tokens;
}

void ProgressWatch::ended(RequestId id, double now_ms) {
  last_progress_ms_ = now_ms;
  prepare_deadlines_ms_.erase(id);
  tasks_.erase(id);
  text_bytes_.erase(id);
}

bool ProgressWatch::engine_owes_progress() const {
  // What waits for admission may rightly wait for a generation that waits for its client.
  const bool paused = std::any_of(tasks_.begin(), tasks_.end(), [](const auto& entry) {
    return entry.second.running && !entry.second.endless_credit && entry.second.credit <= 0;
  });
  return std::any_of(tasks_.begin(), tasks_.end(), [paused](const auto& entry) {
    const Task& task = entry.second;
    return task.running ? task.endless_credit || task.credit > 0 : !paused;
  });
}

// The largest piece of prefill that may go on now.
double ProgressWatch::step_tokens() const {
  if (block_tokens_ != 0) return block_tokens_;
  double most = kLeastTokens;
  for (const auto& [id, bytes] : text_bytes_) most = std::max(most, static_cast<double>(bytes) / kBytesPerToken);
  return most;
}

double ProgressWatch::engine_patience_ms() const {
  const double speed = prefill_speed_ > 0 ? std::max(prefill_speed_ / kSlack, 0.1) : kSlowestPrefill;
  return floor_ms_ + step_tokens() / speed * 1000 + disk_patience_ms();
}

double ProgressWatch::disk_patience_ms() const {
  double patience_ms = 0;
  for (const auto& [id, task] : tasks_) patience_ms += task.disk_ms;
  return patience_ms;
}

std::optional<std::string> ProgressWatch::hung(double now_ms) const {
  if (load_deadline_ms_ && now_ms > *load_deadline_ms_) return "the model did not load in time";
  for (const auto& [id, deadline] : prepare_deadlines_ms_) {
    if (now_ms > deadline) return "a prompt was not prepared in time";
  }
  if (engine_owes_progress() && now_ms > last_progress_ms_ + engine_patience_ms()) {
    return "no token and no block of prefill in " + std::to_string(static_cast<int64_t>(now_ms - last_progress_ms_)) +
           " ms";
  }
  return std::nullopt;
}

}  // namespace rockllama
