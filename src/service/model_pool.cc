#include "service/model_pool.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace rockllama {
namespace {

constexpr int64_t kRetryMs = 20;
constexpr int64_t kLoadCheckMs = 100;
constexpr int64_t kIdleCheckMs = 500;

}  // namespace

struct ModelPool::Attempt {
  Attempt(const ModelEntry& the_entry, Acquired the_acquired, Abandoned the_abandoned, double the_deadline_ms)
      : entry(the_entry),
        abandoned(std::move(the_abandoned)),
        deadline_ms(the_deadline_ms),
        acquired(std::move(the_acquired)) {}

  const ModelEntry entry;
  const Abandoned abandoned;
  const double deadline_ms;

  std::mutex mutex;
  Acquired acquired;  // empty once it was answered
  ModelLease lease;   // of a model that may still be loading

  bool answered() {
    const std::lock_guard lock(mutex);
    return acquired == nullptr;
  }
  // The first answer counts.
  void answer(const Status& status) {
    Acquired receiver;
    ModelLease given;
    {
      const std::lock_guard lock(mutex);
      receiver.swap(acquired);
      std::swap(given, lease);
    }
    if (!receiver) return;
    if (status) return receiver(std::move(given));
    given = {};
    receiver(tl::unexpected(status.error()));
  }
  // Why to wait no longer; `late` says what was waited for.
  [[nodiscard]] Status still_waits(const std::string& late) const {
    if (abandoned && abandoned()) return fail(ErrorCode::kCancelled, "cancelled");
    if (steady_ms() > deadline_ms) return fail({ErrorCode::kUnavailable, late, "", 5});
    return {};
  }
};

ModelPool::ModelPool(ServiceContext* context, ModelHost::WarmUp warm_up)
    : context_(context), warm_up_(std::move(warm_up)) {
  context_->executor->post_after(kIdleCheckMs, [this] { unload_idle(); });
}

void ModelPool::acquire(const ModelEntry& entry, Acquired acquired, Abandoned abandoned) {
  const double deadline = steady_ms() + context_->options.load_timeout_s * 1000;
  const auto attempt = std::make_shared<Attempt>(entry, std::move(acquired), std::move(abandoned), deadline);
  if (const Status joined = join_queue(entry.spec.name); !joined) return attempt->answer(joined);
  try_acquire(attempt);
}

Status ModelPool::may_try(const ModelEntry& entry) const {
  const auto failed = failures_.find(entry.spec.name);
  if (failed == failures_.end() || !failed->second.failure.crashed || !(failed->second.entry == entry)) return {};
  return fail(failed->second.failure.error);
}

void ModelPool::forgive(const std::string& name) {
  retire_failed();
  const std::lock_guard lock(mutex_);
  failures_.erase(name);
}

Status ModelPool::join_queue(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(name);
  const int limit = context_->options.queue_limit;
  const int running = slot == slots_.end() ? 0 : slot->second.active;
  if (running + waiting_[name] >= limit) {
    return fail({ErrorCode::kQueueFull,
                 "the queue of model " + name + " is full (" + std::to_string(limit) + " requests wait or run)", "",
                 1});
  }
  ++waiting_[name];
  return {};
}

void ModelPool::leave_queue(const std::string& name) {
  const std::lock_guard lock(mutex_);
  --waiting_[name];
}

void ModelPool::try_acquire(const std::shared_ptr<Attempt>& attempt) {
  Result<std::shared_ptr<ModelHost>> host;
  {
    const std::lock_guard lock(mutex_);
    host = find_or_add(attempt->entry);
    if (!host || *host) --waiting_[attempt->entry.spec.name];
  }
  if (!host) {
    attempt->answer(fail(host.error()));
  } else if (*host) {
    hand_out(attempt, *host);
  } else {
    retry_later(attempt);
  }
}

void ModelPool::retry_later(const std::shared_ptr<Attempt>& attempt) {
  make_room();
  context_->executor->post_after(kRetryMs, [this, attempt] {
    const std::string& name = attempt->entry.spec.name;
    const Status waits = attempt->still_waits("no room for model " + name + " in time: the loaded models are busy");
    if (waits) return try_acquire(attempt);
    leave_queue(name);
    attempt->answer(waits);
  });
}

Result<std::shared_ptr<ModelHost>> ModelPool::find_or_add(const ModelEntry& entry) {
  if (stopped_) return fail({ErrorCode::kUnavailable, "the server is stopping", "", 1});
  if (const Status may = may_try(entry); !may) return fail(may.error());
  const std::string& name = entry.spec.name;
  auto slot = slots_.find(name);
  // One that could not be loaded goes as soon as its last request has heard of it.
  if (slot != slots_.end() && (slot->second.closing || slot->second.host->failure())) return nullptr;
  if (slot == slots_.end()) {
    if (static_cast<int>(slots_.size()) >= context_->options.max_loaded) return nullptr;
    slot = slots_.emplace(name, Slot{ModelHost::make(context_, entry)}).first;
    spdlog::info("model {}: loading {}", name, entry.filename);
    context_->executor->post([host = slot->second.host, warm_up = warm_up_] { host->begin(warm_up); });
  }
  ++slot->second.active;
  return slot->second.host;
}

// Marks the least recently used idle model as closing, unless one is closing already.
void ModelPool::make_room() {
  retire_failed();
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    double oldest = 0;
    for (const auto& [candidate, slot] : slots_) {
      if (slot.closing) return;
      if (slot.active > 0 || !slot.host->ready()) continue;
      if (name.empty() || slot.last_used_ms < oldest) {
        name = candidate;
        oldest = slot.last_used_ms;
      }
    }
  }
  if (name.empty()) return;
  spdlog::info("model {}: unloaded to make room for another", name);
  unload(name, [](const Status&) {});
}

void ModelPool::hand_out(const std::shared_ptr<Attempt>& attempt, const std::shared_ptr<ModelHost>& host) {
  {
    // Whoever holds the last copy of the lease gives the model back.
    const std::lock_guard lock(attempt->mutex);
    attempt->lease = ModelLease(host, std::shared_ptr<void>(nullptr, [this, host](void*) { give_back(host); }));
  }
  host->when_ready([attempt](const Status& status) { attempt->answer(status); });
  watch_load(attempt);
}

void ModelPool::watch_load(const std::shared_ptr<Attempt>& attempt) {
  if (attempt->answered()) return;
  const Status waits = attempt->still_waits("model " + attempt->entry.spec.name + " is still loading");
  if (!waits) return attempt->answer(waits);
  context_->executor->post_after(kLoadCheckMs, [this, attempt] { watch_load(attempt); });
}

ModelPool::Slots::iterator ModelPool::slot_of(const std::shared_ptr<ModelHost>& host) {
  const auto slot = slots_.find(host->entry().spec.name);
  return slot != slots_.end() && slot->second.host == host ? slot : slots_.end();
}

void ModelPool::give_back(const std::shared_ptr<ModelHost>& host) {
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slot_of(host);
    if (slot == slots_.end()) return;
    slot->second.last_used_ms = steady_ms();
    --slot->second.active;
    if (host->ready()) failures_.erase(slot->first);
  }
  retire_failed();
}

// A model whose worker does not start again leaves its place, so that the next request tries anew.
void ModelPool::retire_failed() {
  std::vector<std::shared_ptr<ModelHost>> retired;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, slot] : slots_) {
      const auto failure = slot.host->failure();
      if (!failure || slot.closing) continue;
      slot.closing = true;
      failures_[name] = {slot.host->entry(), *failure};
      retired.push_back(slot.host);
    }
  }
  for (const auto& host : retired) close_when_idle(host);
}

void ModelPool::unload(const std::string& name, Done done) {
  std::unique_lock lock(mutex_);
  const auto slot = slots_.find(name);
  if (slot == slots_.end()) {
    lock.unlock();
    return done({});
  }
  const std::shared_ptr<ModelHost> host = slot->second.host;
  slot->second.when_gone.push_back(std::move(done));
  const bool closes_already = std::exchange(slot->second.closing, true);
  lock.unlock();
  if (!closes_already) close_when_idle(host);
}

// The slot is marked as closing, so nothing new begins; what runs may finish.
void ModelPool::close_when_idle(const std::shared_ptr<ModelHost>& host) {
  context_->executor->post([this, host] {
    bool idle = true;
    {
      const std::lock_guard lock(mutex_);
      const auto slot = slot_of(host);
      if (slot != slots_.end()) idle = slot->second.active == 0;
    }
    if (!idle) return context_->executor->post_after(kRetryMs, [this, host] { close_when_idle(host); });
    host->close({ErrorCode::kUnavailable, "the model is being unloaded", "", 1});
    forget(host);
  });
}

void ModelPool::forget(const std::shared_ptr<ModelHost>& host) {
  std::vector<Done> when_gone;
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slot_of(host);
    if (slot == slots_.end()) return;
    when_gone.swap(slot->second.when_gone);
    slots_.erase(slot);
  }
  spdlog::info("model {}: unloaded", host->entry().spec.name);
  for (const Done& done : when_gone) done({});
}

void ModelPool::unload_idle() {
  retire_failed();
  std::vector<std::string> idle;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (const auto& [name, slot] : slots_) {
      const double own = slot.host->entry().keep_alive_s;
      const double keep_s = own >= 0 ? own : context_->options.keep_alive_s;
      if (slot.active > 0 || slot.closing || keep_s == 0 || !slot.host->ready()) continue;
      if (steady_ms() - slot.last_used_ms > keep_s * 1000) idle.push_back(name);
    }
  }
  for (const std::string& name : idle) {
    spdlog::info("model {}: idle, giving its memory back", name);
    unload(name, [](const Status&) {});
  }
  context_->executor->post_after(kIdleCheckMs, [this] { unload_idle(); });
}

void ModelPool::stop() {
  Slots slots;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    slots.swap(slots_);
  }
  for (const auto& [name, slot] : slots) slot.host->close({ErrorCode::kUnavailable, "the server is stopping", "", 1});
  for (const auto& [name, slot] : slots) {
    for (const Done& done : slot.when_gone) done({});
  }
}

std::shared_ptr<ModelHost> ModelPool::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(name);
  return slot == slots_.end() || slot->second.closing ? nullptr : slot->second.host;
}

std::vector<ModelPool::Loaded> ModelPool::loaded() const {
  std::vector<Loaded> result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, slot] : slots_) {
      if (!slot.closing) result.push_back({slot.host, slot.last_used_ms});
    }
  }
  std::sort(result.begin(), result.end(),
            [](const Loaded& a, const Loaded& b) { return a.last_used_ms > b.last_used_ms; });
  return result;
}

std::map<std::string, ModelFailure> ModelPool::failures() const {
  std::map<std::string, ModelFailure> failures;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, failed] : failures_) failures[name] = failed.failure;
  return failures;
}

}  // namespace rockllama
