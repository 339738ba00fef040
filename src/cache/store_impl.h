// The inside of CacheStore. Its files: cache_store.cc (folders and caches), store_line.cc (what caches continue),
// store_commit.cc, store_budget.cc, store_states.cc (all that are offered).
//
// Locks: the budget's, one slot's at a time, then the index's or the automatic states' own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cache/automatic_states.h"
#include "cache/cache_index.h"
#include "cache/cache_names.h"
#include "cache/cache_slot.h"
#include "cache/cache_store.h"
#include "cache/daily_writes.h"
#include "cache/eviction.h"
#include "cache/save_crashes.h"
#include "cache/store_opening.h"

namespace rockllama {

// Caches that continue each other, the oldest ancestor first.
struct LineTexts {
  std::vector<std::string> names;
  std::vector<std::string> texts;  // empty ones where only hashes were asked for
  std::vector<Hash128> hashes;     // of the texts
};

struct CacheStore::Impl {
  Impl(FileSystem* file_system, std::string folder, StoreLimits store_limits, Clock clock)
      : files(file_system),
        root(std::move(folder)),
        limits(store_limits),
        now(std::move(clock)),
        index(files, root),
        automatic(files, root),
        save_crashes(files, root + "/.save-crashes.json") {}

  FileSystem* const files;
  const std::string root;
  const StoreLimits limits;
  const Clock now;
  UniqueFd lock;
  CacheIndex index;
  AutomaticStates automatic;
  SaveCrashes save_crashes;
  std::mutex budget_mutex{};                  // from planning room to taking it; before all other locks
  std::optional<DailyWrites> daily_writes{};  // guarded by it
  std::atomic<uint64_t> payloads = 0;         // counts temporary names, so that two builds do not meet

  [[nodiscard]] std::string folder(const std::string& model) const { return root + "/" + model; }
  // Names of the folders that may be models'.
  [[nodiscard]] std::vector<std::string> folders() const;
  static tl::unexpected<Error> no_such_cache() { return fail(ErrorCode::kNotFound, "there is no such prompt cache"); }

  // Runs `use` on the refreshed cache, under its lock.
  template <class Use>
  auto with(const std::string& model, const std::string& name, Use use) -> decltype(use(std::declval<CacheSlot&>())) {
    if (!usable_model_folder(model) || !usable_cache_name(name)) return no_such_cache();
    std::shared_ptr<CacheSlot> used = index.slot(model, name);
    std::unique_lock guard(used->mutex);
    const Hash128 offered = used->offer_hash();
    bool is_fresh = false;
    auto run = [&]() -> decltype(use(*used)) {
      if (const Status fresh = used->refresh(); !fresh) return fail(fresh.error());
      is_fresh = true;
      return use(*used);
    };
    auto result = run();
    if (is_fresh && !used->is_current()) is_fresh = used->refresh().has_value();
    const auto summary = is_fresh ? std::optional(used->summary()) : std::nullopt;
    const bool known_before = offered != Hash128{} || index.complete(model);
    const bool changed = known_before && used->offer_hash() != offered;
    guard.unlock();
    index.give_back(std::move(used), summary);
    if (changed) note_change(model, name);
    return result;
  }

  // The same for a cache that has to be there and whose time is not over.
  template <class Use>
  auto with_existing(const std::string& model, const std::string& name, Use use)
      -> decltype(use(std::declval<CacheSlot&>())) {
    bool expired = false;
    const auto use_existing = [&](CacheSlot& found) -> decltype(use(found)) {
      expired = !expired && has_expired(found.expires_at(), now());
      if (!found.exists() || expired) return no_such_cache();
      return use(found);
    };
    auto result = with(model, name, use_existing);
    if (!expired || remove_expired(model, name)) return result;
    return with(model, name, use_existing);
  }

  // -- store_line.cc
  // Of the caches that the folder holds, and of those that are known.
  [[nodiscard]] Result<std::set<std::string>> names(const std::string& model);
  // Looks at every cache of the model, so that the index knows them all. The failure of one that cannot be read.
  Status scan(const std::string& model);
  void complete(const std::string& model);
  // False where the cache has to stay for those that continue it.
  bool remove_expired(const std::string& model, const std::string& name);
  [[nodiscard]] Result<std::string> parent_of(const std::string& model, const std::string& name);
  // What `name` continues if its parent is `parent`.
  // kNotFound: one is gone; kInvalidArgument: a circle, or too many.
  [[nodiscard]] Result<LineTexts> ancestors_of(const std::string& model, const std::string& name,
                                               const std::string& parent, bool with_texts);
  [[nodiscard]] LineCheck check_line(const std::string& model, const std::string& name, const std::string& parent);

  // -- store_commit.cc
  [[nodiscard]] Result<std::vector<StagedState>> stage(const std::vector<NewState>& states);
  [[nodiscard]] Result<std::vector<Hash128>> ancestors_at_commit(const std::string& model, const std::string& name,
                                                                 const std::vector<NewState>& states,
                                                                 const CacheAttributes& attributes);
  [[nodiscard]] Status make_room_for(const std::string& model, const std::string& name, const CommitOrder& order);
  [[nodiscard]] Status commit(const std::string& model, const std::string& name, const std::string& text,
                              std::vector<NewState> states, const CacheAttributes& attributes, bool same_text);

  // -- store_budget.cc; all under budget_mutex
  [[nodiscard]] bool is_limited() const;
  void complete_all();
  [[nodiscard]] std::vector<EvictionEntry> eviction_entries(const CacheIndex::Key& without);
  // Evicts what has to go for `need`, which replaces the cache `name`. kNoSpace. `only_look` evicts nothing.
  [[nodiscard]] Status make_room(EvictionNeed need, const std::string& name, bool only_look);
  [[nodiscard]] Status evict(const std::vector<EvictionEntry>& entries, const EvictionPlan& plan);
  [[nodiscard]] std::string daily_writes_path() const { return root + "/.automatic-writes.json"; }
  [[nodiscard]] DailyWrites written_today();
  [[nodiscard]] Status check_daily_writes(uint64_t bytes);
  [[nodiscard]] Status count_daily_writes(uint64_t bytes);

  // -- store_states.cc
  // The listener will hear of it, and of those that continue it, at the end of the public call.
  void note_change(const std::string& model, const std::string& name);
  void tell_changes();

  std::mutex changes_mutex;
  std::set<CacheIndex::Key> changes;
  std::function<void(const std::string&, const std::string&)> listener;
};

// Stands first in each public call: tells the listener at its end, when no lock is held any more.
class ChangeNotice {
 public:
  explicit ChangeNotice(CacheStore::Impl* impl) : impl_(impl) {}
  ~ChangeNotice() { impl_->tell_changes(); }
  ChangeNotice(const ChangeNotice&) = delete;
  ChangeNotice& operator=(const ChangeNotice&) = delete;

 private:
  CacheStore::Impl* impl_;
};

}  // namespace rockllama
