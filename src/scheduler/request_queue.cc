#include "scheduler/request_queue.h"

#include <algorithm>

namespace rockllama {

void RequestQueue::add(RequestId id, Kind kind) { entries_.push_back({.id = id, .kind = kind}); }

RequestQueue::Entry* RequestQueue::find(RequestId id) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [id](const Entry& e) { return e.id == id; });
  return entry == entries_.end() ? nullptr : &*entry;
}

RequestQueue::Loss RequestQueue::worker_lost() {
  ready_ = false;
  Loss loss;
  for (Entry& entry : entries_) {
    if (entry.phase == Phase::kWaiting) continue;
    if (entry.begun || entry.kind == Kind::kSaveState) {
      loss.begun.push_back(entry.id);
    } else if (entry.alone) {
      loss.exhausted.push_back(entry.id);
    } else {
      loss.retried.push_back(entry.id);
      entry.phase = Phase::kWaiting;
      entry.alone = true;
    }
  }
  for (const RequestId id : loss.begun) remove(id);
  for (const RequestId id : loss.exhausted) remove(id);
  return loss;
}

void RequestQueue::prepared(RequestId id) {
  if (Entry* entry = find(id)) entry->phase = Phase::kOpening;
}

void RequestQueue::startable(RequestId id) {
  Entry* entry = find(id);
  if (entry != nullptr && entry->phase == Phase::kOpening) entry->phase = Phase::kStartable;
}

void RequestQueue::begun(RequestId id) {
  if (Entry* entry = find(id)) entry->begun = true;
}

void RequestQueue::remove(RequestId id) {
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
}

// A request that is run again goes in only when nothing else is in the worker, and nothing else while it is: if the
// worker dies once more, it was this one.
bool RequestQueue::may_send(const Entry& entry) const {
  const auto others = [&](auto condition) {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const Entry& other) { return other.id != entry.id && condition(other); });
  };
  const auto in_worker = [](const Entry& other) { return other.phase != Phase::kWaiting; };
  if (entry.alone) return !others(in_worker);
  return !others([](const Entry& other) { return other.alone; });
}

void RequestQueue::advance(Entry& entry, std::vector<Action>* actions) {
  if (entry.phase == Phase::kWaiting && may_send(entry)) {
    const bool generation = entry.kind == Kind::kGeneration;
    entry.phase = generation ? Phase::kPreparing : Phase::kRunning;
    actions->push_back({generation ? Verb::kPrepare : Verb::kSave, entry.id});
  } else if (entry.phase == Phase::kStartable) {
    const auto running = std::count_if(entries_.begin(), entries_.end(), [](const Entry& other) {
      return other.kind == Kind::kGeneration && other.phase == Phase::kRunning;
    });
    if (static_cast<uint32_t>(running) >= parallel_) return;
    entry.phase = Phase::kRunning;
    actions->push_back({Verb::kStart, entry.id});
  }
}

std::vector<RequestQueue::Action> RequestQueue::next() {
  std::vector<Action> actions;
  if (!ready_) return actions;
  for (Entry& entry : entries_) advance(entry, &actions);
  return actions;
}

}  // namespace rockllama
