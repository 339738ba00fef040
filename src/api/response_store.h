// The responses that may be read again and gone on from: a bounded number of them, in memory. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/hash.h"
#include "domain/chat.h"

namespace rockllama::api {

struct StoredResponse {
  Hash128 owner{};                      // salt of the API key that made it: no other one sees it
  std::string json{};                   // the whole response
  std::vector<ChatMessage> messages{};  // the conversation with this response, without instructions

  [[nodiscard]] size_t bytes() const;
};

class ResponseStore {
 public:
  struct Limits {
    size_t entries = 1000;  // 0 = nothing is kept
    size_t bytes = size_t{64} << 20;
  };
  using Entry = std::shared_ptr<const StoredResponse>;

  explicit ResponseStore(Limits limits) : limits_(limits) {}

  // Those that were not used for longest make room. One that is larger than the whole room is not kept.
  void put(const std::string& id, StoredResponse response);
  // Null where there is none of this owner.
  [[nodiscard]] Entry find(const std::string& id, const Hash128& owner);
  // Whether there was one of this owner.
  bool remove(const std::string& id, const Hash128& owner);

 private:
  struct Slot {
    std::string id;
    Entry entry;
  };
  using Slots = std::list<Slot>;

  // Caller holds the mutex.
  void drop(Slots::iterator slot);
  [[nodiscard]] Slots::iterator slot_of(const std::string& id, const Hash128& owner);

  const Limits limits_;
  std::mutex mutex_;
  Slots slots_;  // the last used first
  std::map<std::string, Slots::iterator> by_id_;
  size_t bytes_ = 0;
};

}  // namespace rockllama::api
