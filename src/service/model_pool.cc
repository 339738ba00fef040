#include "service/model_pool.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace rockllama {
namespace {

constexpr int64_t kRetryMs = 20;
constexpr int64_t kIdleCheckMs = 500;

}  // namespace

struct ModelPool::Attempt {
  ModelEntry entry;
  Acquired acquired;
  double deadline_ms;
};

ModelPool::ModelPool(ServiceContext* context, ModelHost::WarmUp warm_up)
    : context_(context), warm_up_(std::move(warm_up)) {
  context_->executor->post_after(kIdleCheckMs, [this] { unload_idle(); });
}

void ModelPool::acquire(const ModelEntry& entry, Acquired acquired) {
  const double deadline = steady_ms() + context_->options.load_timeout_s * 1000;
  try_acquire(std::make_shared<Attempt>(Attempt{entry, std::move(acquired), deadline}));
}

void ModelPool::try_acquire(const std::shared_ptr<Attempt>& attempt) {
  Result<std::shared_ptr<ModelHost>> host;
  {
    const std::lock_guard lock(mutex_);
    host = find_or_add(attempt->entry);
  }
  if (!host) {
    attempt->acquired(tl::unexpected(host.error()));
  } else if (*host) {
    hand_out(attempt, *host);
  } else {
    retry_later(attempt);
  }
}

void ModelPool::retry_later(const std::shared_ptr<Attempt>& attempt) {
  if (steady_ms() > attempt->deadline_ms) {
    attempt->acquired(
        fail({ErrorCode::kUnavailable,
              "no room for model " + attempt->entry.spec.name + " in time: the loaded models are busy", "", 5}));
    return;
  }
  retire_failed(attempt->entry.spec.name);
  make_room();
  context_->executor->post_after(kRetryMs, [this, attempt] { try_acquire(attempt); });
}

Result<std::shared_ptr<ModelHost>> ModelPool::find_or_add(const ModelEntry& entry) {
  if (stopped_) return fail({ErrorCode::kUnavailable, "the server is stopping", "", 1});
  const std::string& name = entry.spec.name;
  auto slot = slots_.find(name);
  // One that could not be loaded goes as soon as its last request has heard of it.
  if (slot != slots_.end() && (slot->second.closing || slot->second.host->failure())) return nullptr;
  if (slot == slots_.end()) {
    if (static_cast<int>(slots_.size()) >= context_->options.max_loaded) return nullptr;
    slot = slots_.emplace(name, Slot{std::make_shared<ModelHost>(context_, entry)}).first;
    spdlog::info("model {}: loading {}", name, entry.filename);
    context_->executor->post([host = slot->second.host, warm_up = warm_up_] { host->begin(warm_up); });
  }
  const int limit = context_->options.queue_limit;
  if (slot->second.active >= limit) {
    return fail({ErrorCode::kQueueFull,
                 "the queue of model " + name + " is full (" + std::to_string(limit) + " requests wait or run)", "",
                 1});
  }
  ++slot->second.active;
  return slot->second.host;
}

// Marks the least recently used idle model as closing, unless one is closing already.
void ModelPool::make_room() {
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
  // Whoever holds the last copy of this gives the model back.
  std::shared_ptr<void> hold(nullptr, [this, host](void*) { give_back(host); });
  auto answered = std::make_shared<std::atomic<bool>>(false);
  host->when_ready([attempt, answered, lease = ModelLease(host, hold)](const Status& status) {
    if (answered->exchange(true)) return;
    if (status) {
      attempt->acquired(lease);
    } else {
      attempt->acquired(tl::unexpected(status.error()));
    }
  });
  if (host->ready()) return;
  const auto left = static_cast<int64_t>(std::max(0.0, attempt->deadline_ms - steady_ms()));
  context_->executor->post_after(left, [attempt, answered] {
    if (answered->exchange(true)) return;
    attempt->acquired(
        fail({ErrorCode::kUnavailable, "model " + attempt->entry.spec.name + " is still loading", "", 5}));
  });
}

void ModelPool::give_back(const std::shared_ptr<ModelHost>& host) {
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(host->entry().spec.name);
    if (slot == slots_.end() || slot->second.host != host) return;
    slot->second.last_used_ms = steady_ms();
    --slot->second.active;
    if (!host->failure()) failures_.erase(host->entry().spec.name);
  }
  retire_failed(host->entry().spec.name);
}

// A model whose worker does not start again leaves its place, so that the next request tries anew.
void ModelPool::retire_failed(const std::string& name) {
  std::shared_ptr<ModelHost> host;
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(name);
    if (slot == slots_.end() || slot->second.closing) return;
    const auto failure = slot->second.host->failure();
    if (!failure) return;
    slot->second.closing = true;
    failures_[name] = failure->message;
    host = slot->second.host;
  }
  close_when_idle(name, host, [](const Status&) {});
}

void ModelPool::unload(const std::string& name, Done done) {
  std::shared_ptr<ModelHost> host;
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(name);
    if (slot != slots_.end()) {
      slot->second.closing = true;
      host = slot->second.host;
    }
  }
  if (!host) return done({});
  close_when_idle(name, host, std::move(done));
}

// The slot is marked as closing, so nothing new begins; what runs may finish.
void ModelPool::close_when_idle(const std::string& name, const std::shared_ptr<ModelHost>& host, Done done) {
  context_->executor->post([this, name, host, done = std::move(done)]() mutable {
    bool idle = false;
    {
      const std::lock_guard lock(mutex_);
      const auto slot = slots_.find(name);
      if (slot == slots_.end() || slot->second.host != host) return done({});
      idle = slot->second.active == 0;
    }
    if (!idle) {
      context_->executor->post_after(kRetryMs,
                                     [this, name, host, done = std::move(done)] { close_when_idle(name, host, done); });
      return;
    }
    host->close({ErrorCode::kUnavailable, "the model is being unloaded", "", 1});
    {
      const std::lock_guard lock(mutex_);
      slots_.erase(name);
    }
    spdlog::info("model {}: unloaded", name);
    done({});
  });
}

void ModelPool::unload_idle() {
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
  std::map<std::string, Slot> slots;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    slots.swap(slots_);
  }
  for (const auto& [name, slot] : slots) slot.host->close({ErrorCode::kUnavailable, "the server is stopping", "", 1});
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

std::map<std::string, std::string> ModelPool::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace rockllama
