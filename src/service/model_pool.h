// The loaded models: makes room, loads, hands out leases, unloads. Thread-safe; never blocks but in stop().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "service/context.h"
#include "service/model_host.h"

namespace rockllama {

// Keeps a model loaded while a request uses it. Movable; the last move's end gives it back.
class ModelLease {
 public:
  ModelLease() = default;
  ModelLease(std::shared_ptr<ModelHost> host, std::shared_ptr<void> hold)
      : host_(std::move(host)), hold_(std::move(hold)) {}
  [[nodiscard]] ModelHost* operator->() const { return host_.get(); }
  [[nodiscard]] const std::shared_ptr<ModelHost>& host() const { return host_; }
  [[nodiscard]] explicit operator bool() const { return host_ != nullptr; }

 private:
  std::shared_ptr<ModelHost> host_;
  std::shared_ptr<void> hold_;
};

class ModelPool {
 public:
  using Acquired = std::function<void(Result<ModelLease>)>;
  using Abandoned = std::function<bool()>;
  using Done = std::function<void(Status)>;

  // `warm_up` runs before a freshly loaded model counts as ready.
  ModelPool(ServiceContext* context, ModelHost::WarmUp warm_up);

  // Loads the model if need be; where the pool is full, the least recently used idle one makes room. kUnavailable after
  // the wait limit, kQueueFull when too many requests already wait or run, else why the load failed; at once where it
  // failed by crashing again and again, and nobody forgave it or changed its file since. `abandoned` is
  // asked from time to time while this waits, on the executor; once it is true, the answer is kCancelled.
  void acquire(const ModelEntry& entry, Acquired acquired, Abandoned abandoned = {});
  // Finishes what runs, ends the worker; `done` hears of it once the worker is gone. Fine when it is not loaded.
  void unload(const std::string& name, Done done);
  // Ends all models; blocks until their workers are gone. Nothing is loaded any more.
  void stop();

  struct Loaded {
    std::shared_ptr<ModelHost> host;
    double last_used_ms = 0;  // steady_ms
  };
  // Of a model that is loaded or loading; else null.
  [[nodiscard]] std::shared_ptr<ModelHost> find(const std::string& name) const;
  // Most recently used first; also those that are still loading.
  [[nodiscard]] std::vector<Loaded> loaded() const;
  // Why the last load of each model failed that is not loaded now.
  [[nodiscard]] std::map<std::string, ModelFailure> failures() const;
  // Somebody asks for a model that crashed again and again: the next acquire() tries anew.
  void forgive(const std::string& name);

 private:
  struct Slot {
    std::shared_ptr<ModelHost> host;
    int active = 0;
    double last_used_ms = 0;
    bool closing = false;
    std::vector<Done> when_gone{};
  };
  using Slots = std::map<std::string, Slot>;
  struct Attempt;  // one acquire() that may have to wait

  // Fails where the model crashed again and again and is still the same. Caller holds the mutex.
  [[nodiscard]] Status may_try(const ModelEntry& entry) const;
  [[nodiscard]] Status join_queue(const std::string& name);
  void leave_queue(const std::string& name);
  void try_acquire(const std::shared_ptr<Attempt>& attempt);
  void retry_later(const std::shared_ptr<Attempt>& attempt);
  // The host to wait for, or nothing while there is no room. Caller holds the mutex.
  [[nodiscard]] Result<std::shared_ptr<ModelHost>> find_or_add(const ModelEntry& entry);
  void make_room();
  void hand_out(const std::shared_ptr<Attempt>& attempt, const std::shared_ptr<ModelHost>& host);
  void watch_load(const std::shared_ptr<Attempt>& attempt);
  void retire_failed();
  void give_back(const std::shared_ptr<ModelHost>& host);
  void close_when_idle(const std::shared_ptr<ModelHost>& host);
  void forget(const std::shared_ptr<ModelHost>& host);
  void unload_idle();
  // Its slot, unless it has none any more. Caller holds the mutex.
  [[nodiscard]] Slots::iterator slot_of(const std::shared_ptr<ModelHost>& host);

  ServiceContext* context_;
  ModelHost::WarmUp warm_up_;
  mutable std::mutex mutex_;
  Slots slots_;
  std::map<std::string, int> waiting_;  // attempts that no slot counts yet, by model
  struct Failed {
    ModelEntry entry;  // as it was then
    ModelFailure failure;
  };
  std::map<std::string, Failed> failures_;
  bool stopped_ = false;
};

}  // namespace rockllama
