// Which request does what next, for one model: prepared at once, started while the worker has room, callers in turn and
// each one's requests in the order of arrival or those of one prefix after each other, run again alone after a crash.
// Pure: no thread, no clock, no worker.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

// Whose request it is.
struct RequestOrigin {
  std::string caller{};  // who shares the room fairly with others, the name of an API key or an address
  // Of a caller's requests with the same one up to eight are started after each other; empty = none.
  std::string prefix_key{};
};

class RequestQueue {
 public:
  explicit RequestQueue(uint32_t parallel) : parallel_(parallel) {}

  enum class Kind : uint8_t { kGeneration, kSaveState, kQuestion };
  enum class Verb : uint8_t { kPrepare, kStart, kSave, kAsk };
  struct Action {
    Verb verb;
    RequestId id;
    bool operator==(const Action&) const = default;
  };
  // Failed: what the loss of the worker ended. Retried: what begins anew.
  struct Loss {
    std::vector<RequestId> begun{};      // had answered in part
    std::vector<RequestId> saving{};     // states that were being saved; they are not tried again here
    std::vector<RequestId> exhausted{};  // killed the worker while alone
    std::vector<RequestId> retried{};
    bool one_alone = false;  // the worker was busy with only one of all these
  };

  void add(RequestId id, Kind kind, RequestOrigin origin = {});
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
    RequestOrigin origin;
    Phase phase = Phase::kWaiting;
    bool begun = false;
    bool alone = false;  // ran once when the worker died
  };
  // What was started last of a caller.
  struct Turn {
    uint64_t number = 0;
    std::string prefix_key{};
    uint32_t in_a_row = 0;  // with this key
  };
  using Shares = std::map<std::string_view, uint32_t>;  // of each caller: how many run
  using Rank = std::tuple<uint32_t, uint64_t, bool>;
  static bool is_running(const Entry& entry) {
    return entry.kind == Kind::kGeneration && entry.phase == Phase::kRunning;
  }
  [[nodiscard]] Entry* find(RequestId id);
  [[nodiscard]] bool may_send(const Entry& entry) const;
  [[nodiscard]] uint32_t running() const;
  [[nodiscard]] Shares shares() const;
  [[nodiscard]] bool goes_on(const Entry& entry) const;
  void count_turn(const RequestOrigin& origin);
  [[nodiscard]] Rank rank_of(const Entry& entry, const Shares& shares) const;
  [[nodiscard]] Entry* next_to_start();

  uint32_t parallel_;
  bool ready_ = false;
  std::vector<Entry> entries_;             // in order of arrival
  std::map<std::string, Turn> last_turn_;  // of each caller with requests
  uint64_t turn_ = 0;                      // counts starts
};

}  // namespace rockllama
