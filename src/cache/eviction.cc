#include "cache/eviction.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>

namespace rockllama {
namespace {

std::string mib(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f MiB", static_cast<double>(bytes) / 1048576);
  return text;
}

// One limit, and what is missing for it.
struct Limit {
  const char* setting;
  uint64_t allowed;
  uint64_t taken;    // without what is needed
  uint64_t missing;  // bytes that have to go
  std::function<bool(const EvictionEntry&)> counts;
};

uint64_t bytes_of(const EvictionEntry& entry) { return entry.text_bytes + entry.state_bytes; }

class Planner {
 public:
  Planner(const std::vector<EvictionEntry>& entries, const EvictionNeed& need, const StoreLimits& limits)
      : entries_(entries), need_(need), order_(entries.size()) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](size_t a, size_t b) { return entries_[a].value < entries_[b].value; });
    const auto any = [](const EvictionEntry&) { return true; };
    add("max_total_mib", limits.max_total_bytes, any);
    add("max_model_mib", limits.max_model_bytes,
        [&](const EvictionEntry& entry) { return entry.model == need_.model; });
    if (need.automatic)
      add("auto_cache_mib", limits.automatic_bytes, [](const auto& entry) { return entry.automatic; });
    if (limits.keep_free_bytes > need.free_bytes) {
      limits_.push_back(
          {"keep_free_mib", limits.keep_free_bytes, need.free_bytes, limits.keep_free_bytes - need.free_bytes, any});
    }
  }

  Result<EvictionPlan> plan(uint64_t max_entries) {
    if (Status made = make_room_for_entry(max_entries); !made) return fail(made.error());
    for (const size_t index : order_) {
      if (entries_[index].automatic && (!need_.automatic || entries_[index].value < need_.value)) take(index);
    }
    for (const size_t index : order_) {
      if (!need_.automatic && !entries_[index].automatic && !entries_[index].pinned) take(index);
    }
    for (const Limit& limit : limits_) {
      if (limit.missing > 0) return refusal(limit);
    }
    return plan_;
  }

 private:
  void add(const char* setting, uint64_t allowed, std::function<bool(const EvictionEntry&)> counts) {
    if (allowed == 0) return;
    uint64_t taken = 0;
    for (const EvictionEntry& entry : entries_) taken += counts(entry) ? bytes_of(entry) : 0;
    const uint64_t wanted = taken + need_.bytes;
    limits_.push_back({setting, allowed, taken, wanted - std::min(wanted, allowed), std::move(counts)});
  }

  void give_up(const EvictionEntry& entry, uint64_t bytes) {
    for (Limit& limit : limits_) {
      if (limit.counts(entry)) limit.missing -= std::min(limit.missing, bytes);
    }
  }

  Status make_room_for_entry(uint64_t max_entries) {
    if (!need_.new_cache || max_entries == 0) return {};
    const auto is_cache = [](const EvictionEntry& entry) { return !entry.automatic; };
    const auto count = static_cast<uint64_t>(std::count_if(entries_.begin(), entries_.end(), is_cache));
    uint64_t surplus = count + 1 - std::min(count + 1, max_entries);
    for (const size_t index : order_) {
      const EvictionEntry& entry = entries_[index];
      if (surplus == 0 || entry.automatic || !entry.expendable || entry.pinned || entry.in_use) continue;
      plan_.caches.push_back(index);
      give_up(entry, bytes_of(entry));
      --surplus;
    }
    if (surplus == 0) return {};
    return fail(ErrorCode::kNoSpace,
                "there are " + std::to_string(count) + " caches and " + std::to_string(max_entries) +
                    " are allowed (cache.max_entries); delete some",
                "cache.max_entries");
  }

  void take(size_t index) {
    const EvictionEntry& entry = entries_[index];
    const bool helps = std::any_of(limits_.begin(), limits_.end(),
                                   [&](const Limit& limit) { return limit.missing > 0 && limit.counts(entry); });
    const bool gone = std::find(plan_.caches.begin(), plan_.caches.end(), index) != plan_.caches.end();
    if (!helps || gone || entry.in_use || entry.state_bytes == 0) return;
    (entry.automatic ? plan_.automatic : plan_.states).push_back(index);
    give_up(entry, entry.state_bytes);
  }

  [[nodiscard]] tl::unexpected<Error> refusal(const Limit& limit) const {
    const std::string setting = std::string(" (cache.") + limit.setting + ")";
    if (limit.setting == std::string("keep_free_mib")) {
      return fail(ErrorCode::kNoSpace, "the device has " + mib(limit.taken) + " left and " + mib(limit.allowed) +
                                           setting + " have to stay free; " + mib(limit.missing) + " are missing");
    }
    return fail(ErrorCode::kNoSpace,
                mib(need_.bytes) + " are needed, " + mib(limit.taken) + " of " + mib(limit.allowed) + setting +
                    " are taken, and what may go leaves " + mib(limit.missing) +
                    " missing: the rest is text, pinned or in use" + (need_.automatic ? ", or worth more" : ""),
                std::string("cache.") + limit.setting);
  }

  const std::vector<EvictionEntry>& entries_;
  const EvictionNeed& need_;
  std::vector<size_t> order_;  // by value, the least first
  std::vector<Limit> limits_;
  EvictionPlan plan_;
};

}  // namespace

Result<EvictionPlan> plan_eviction(const std::vector<EvictionEntry>& entries, const EvictionNeed& need,
                                   const StoreLimits& limits) {
  return Planner(entries, need, limits).plan(limits.max_entries);
}

}  // namespace rockllama
