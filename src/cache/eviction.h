// What has to go so that something new fits into the store's limits. Pure; see docs/cache-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/store_types.h"

namespace rockllama {

// A named cache, or an automatic state.
struct EvictionEntry {
  std::string model;
  std::string name;        // of an automatic state its id
  bool automatic = false;  // a state without a cache
  bool expendable =
      false;  // a cache that may go with its text: it has an end or was made by itself, and none continues it
  bool pinned = false;
  bool in_use = false;
  uint64_t text_bytes = 0;
  uint64_t state_bytes = 0;
  double value = 0;  // see domain/prefix_value.h
};

struct EvictionNeed {
  std::string model;
  uint64_t bytes = 0;      // that it will take
  bool new_cache = false;  // counts as one more
  bool automatic = false;
  double value = 0;         // of an automatic one: what is worth more stays
  uint64_t free_bytes = 0;  // of the device, its payload being there already
};

// Indices into the entries.
struct EvictionPlan {
  std::vector<size_t> automatic{};
  std::vector<size_t> states{};  // of named caches, whose texts stay
  std::vector<size_t> caches{};
  [[nodiscard]] bool empty() const { return automatic.empty() && states.empty() && caches.empty(); }
};

// `entries` are all but the one that `need` replaces. Automatic states go first, then states of named caches, the least
// valuable first; what is pinned or in use stays. For max_entries go expendable caches only. kNoSpace, with the
// numbers, where that is not enough; then nothing should go.
[[nodiscard]] Result<EvictionPlan> plan_eviction(const std::vector<EvictionEntry>& entries, const EvictionNeed& need,
                                                 const StoreLimits& limits);

}  // namespace rockllama
