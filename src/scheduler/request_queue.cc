#include "scheduler/request_queue.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rockllama {
namespace {

constexpr uint32_t kMostInARow = 8;

RequestQueue::Verb first_verb(RequestQueue::Kind kind) {
  switch (kind) {
    case RequestQueue::Kind::kGeneration:
      return RequestQueue::Verb::kPrepare;
    case RequestQueue::Kind::kSaveState:
      return RequestQueue::Verb::kSave;
    case RequestQueue::Kind::kQuestion:
      break;
  }
  return RequestQueue::Verb::kAsk;
}

}  // namespace

void RequestQueue::add(RequestId id, Kind kind, RequestOrigin origin) {
  entries_.push_back({.id = id, .kind = kind, .origin = std::move(origin)});
}

RequestQueue::Entry* RequestQueue::find(RequestId id) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [id](const Entry& e) { return e.id == id; });
  return entry == entries_.end() ? nullptr : &*entry;
}

RequestQueue::Loss RequestQueue::worker_lost() {
  ready_ = false;
  const auto busy = std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.phase == Phase::kPreparing || entry.phase == Phase::kRunning;
  });
  Loss loss{.one_alone = busy == 1};
  for (Entry& entry : entries_) {
    if (entry.phase == Phase::kWaiting) continue;
    if (entry.kind == Kind::kSaveState) {
      loss.saving.push_back(entry.id);
    } else if (entry.begun) {
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
  for (const RequestId id : loss.saving) remove(id);
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
  const Entry* entry = find(id);
  if (entry == nullptr) return;
  const std::string caller = entry->origin.caller;
  std::erase_if(entries_, [id](const Entry& other) { return other.id == id; });
  const bool has_more =
      std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.origin.caller == caller; });
  if (!has_more) last_turn_.erase(caller);
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

uint32_t RequestQueue::running() const {
  return static_cast<uint32_t>(std::count_if(entries_.begin(), entries_.end(), is_running));
}

RequestQueue::Shares RequestQueue::shares() const {
  Shares shares;
  for (const Entry& entry : entries_) shares[entry.origin.caller] += is_running(entry) ? 1 : 0;
  return shares;
}

// Over the prefix of what its caller had started last, unless others of the caller have waited for many such.
bool RequestQueue::goes_on(const Entry& entry) const {
  const auto last = last_turn_.find(entry.origin.caller);
  if (entry.origin.prefix_key.empty() || last == last_turn_.end()) return false;
  return last->second.prefix_key == entry.origin.prefix_key && last->second.in_a_row < kMostInARow;
}

void RequestQueue::count_turn(const RequestOrigin& origin) {
  Turn& turn = last_turn_[origin.caller];
  turn.in_a_row = turn.prefix_key == origin.prefix_key ? turn.in_a_row + 1 : 1;
  turn.prefix_key = origin.prefix_key;
  turn.number = ++turn_;
}

// Lowest first: whose caller has less in the worker now, or else was served less recently. Of one caller, what goes on
// over the same prefix. Else the order of arrival stays.
RequestQueue::Rank RequestQueue::rank_of(const Entry& entry, const Shares& shares) const {
  const auto last = last_turn_.find(entry.origin.caller);
  const uint64_t turn = last == last_turn_.end() ? 0 : last->second.number;
  return {shares.at(entry.origin.caller), turn, !goes_on(entry)};
}

RequestQueue::Entry* RequestQueue::next_to_start() {
  const Shares running = shares();
  Entry* next = nullptr;
  Rank lowest;
  for (Entry& entry : entries_) {
    if (entry.phase != Phase::kStartable) continue;
    const Rank rank = rank_of(entry, running);
    if (next != nullptr && rank >= lowest) continue;
    next = &entry;
    lowest = rank;
  }
  return next;
}

std::vector<RequestQueue::Action> RequestQueue::next() {
  std::vector<Action> actions;
  if (!ready_) return actions;
  for (Entry& entry : entries_) {
    if (entry.phase != Phase::kWaiting || !may_send(entry)) continue;
    entry.phase = entry.kind == Kind::kGeneration ? Phase::kPreparing : Phase::kRunning;
    actions.push_back({first_verb(entry.kind), entry.id});
  }
  while (running() < parallel_) {
    Entry* const entry = next_to_start();
    if (entry == nullptr) break;
    entry->phase = Phase::kRunning;
    count_turn(entry->origin);
    actions.push_back({Verb::kStart, entry->id});
  }
  return actions;
}

}  // namespace rockllama
