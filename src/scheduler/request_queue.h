// Which request does what next, for one model: prepared at once, started in the order of arrival while the worker has
// room, run again alone after a crash. Pure: no thread, no clock, no worker.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

class RequestQueue {
 public:
  explicit RequestQueue(uint32_t parallel) : parallel_(parallel) {}

  enum class Kind : uint8_t { kGeneration, kSaveState };
  enum class Verb : uint8_t { kPrepare, kStart, kSave };
  struct Action {
    Verb verb;
    RequestId id;
    bool operator==(const Action&) const = default;
  };
  // Failed: what the loss of the worker ended. Retried: what begins anew.
  struct Loss {
    std::vector<RequestId> begun;      // had answered in part, or a state that was being saved
    std::vector<RequestId> exhausted;  // killed the worker while alone
    std::vector<RequestId> retried;
  };

  void add(RequestId id, Kind kind);
  void set_parallel(uint32_t parallel) { parallel_ = parallel; }
  void worker_ready() { ready_ = true; }
  // The worker forgot everything. Until worker_ready nothing is sent.
  Loss worker_lost();
  void prepared(RequestId id);  // its state is being opened
  void startable(RequestId id);
  void begun(RequestId id);  // text went out
  void remove(RequestId id);

  // What to send now, in order; each action is given once.
  [[nodiscard]] std::vector<Action> next();
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  enum class Phase : uint8_t { kWaiting, kPreparing, kOpening, kStartable, kRunning };
  struct Entry {
    RequestId id;
    Kind kind;
    Phase phase = Phase::kWaiting;
    bool begun = false;
    bool alone = false;  // ran once when the worker died
  };
  [[nodiscard]] Entry* find(RequestId id);
  [[nodiscard]] bool may_send(const Entry& entry) const;
  void advance(Entry& entry, std::vector<Action>* actions);

  uint32_t parallel_;
  bool ready_ = false;
  std::vector<Entry> entries_;  // in order of arrival
};

}  // namespace rockllama
