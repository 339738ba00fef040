// The store's limits: what is asked of plan_eviction, and what is done with its answer.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cache/store_impl.h"
#include "domain/prefix_value.h"

namespace rockllama {
namespace {

// A state that was opened a moment ago may still be on its way into a worker.
constexpr double kRestoreSeconds = 10;
constexpr uint64_t kLargestDailyWrites = 4096;  // bytes of the file

bool is_in_use(double opened_at, double now) { return opened_at != 0 && now - opened_at < kRestoreSeconds; }

}  // namespace

bool CacheStore::Impl::is_limited() const {
  return limits.max_total_bytes != 0 || limits.max_model_bytes != 0 || limits.max_entries != 0 ||
         limits.keep_free_bytes != 0;
}

void CacheStore::Impl::complete_all() {
  for (const std::string& model : folders()) {
    complete(model);
    automatic.take_stock(model);
  }
}

std::vector<EvictionEntry> CacheStore::Impl::eviction_entries(const CacheIndex::Key& without) {
  std::vector<EvictionEntry> entries;
  const double time = now();
  const std::vector<CacheIndex::Known> caches = index.all();
  std::set<CacheIndex::Key> parents;
  for (const CacheIndex::Known& cache : caches) parents.insert({cache.key.first, cache.summary.parent});
  for (const auto& [key, summary] : caches) {
    if (key == without) continue;
    const PrefixUse use{.tokens = summary.tokens,
                        .bytes = summary.state_bytes,
                        .hits = static_cast<double>(summary.hits),
                        .last_used_s = summary.used_at};
    entries.push_back({.model = key.first,
                       .name = key.second,
                       .expendable = (summary.expires_at != 0 || summary.is_automatic) && !parents.contains(key),
                       .pinned = summary.pinned,
                       .in_use = is_in_use(summary.opened_at, time),
                       .text_bytes = summary.text_bytes,
                       .state_bytes = summary.state_bytes,
                       .value = prefix_value(use, time)});
  }
  for (const AutomaticStates::Kept& kept : automatic.kept(time)) {
    entries.push_back({.model = kept.model,
                       .name = kept.id,
                       .automatic = true,
                       .in_use = is_in_use(kept.opened_at, time),
                       .state_bytes = kept.bytes,
                       .value = kept.value});
  }
  return entries;
}

Status CacheStore::Impl::make_room(EvictionNeed need, const std::string& name, bool only_look) {
  complete_all();
  if (limits.keep_free_bytes != 0) {
    const auto free = files->free_bytes(root);
    if (!free) return fail(free.error());
    need.free_bytes = *free;
  }
  const std::vector<EvictionEntry> entries = eviction_entries({need.model, name});
  const auto plan = plan_eviction(entries, need, limits);
  if (!plan) return fail(plan.error());
  return only_look ? Status{} : evict(entries, *plan);
}

Status CacheStore::Impl::evict(const std::vector<EvictionEntry>& entries, const EvictionPlan& plan) {
  for (const size_t i : plan.automatic) {
    const Status removed = automatic.remove(entries[i].model, entries[i].name);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
    note_change(entries[i].model, "");
  }
  for (const size_t i : plan.states) {
    const Status dropped = with(entries[i].model, entries[i].name, [](CacheSlot& slot) { return slot.drop_states(); });
    if (!dropped && dropped.error().code != ErrorCode::kNotFound) return dropped;
    spdlog::info("cache {}/{}: its states made room for others", entries[i].model, entries[i].name);
  }
  for (const size_t i : plan.caches) {
    const Status removed = with(entries[i].model, entries[i].name, [](CacheSlot& slot) { return slot.remove(); });
    if (!removed) return removed;
    spdlog::info("cache {}/{} made room for others", entries[i].model, entries[i].name);
  }
  return {};
}

DailyWrites CacheStore::Impl::written_today() {
  if (!daily_writes) {
    const auto text = files->read(daily_writes_path(), kLargestDailyWrites);
    if (!text && text.error().code != ErrorCode::kNotFound) return on_day_of(now(), {});
    daily_writes = text ? parse_daily_writes(*text) : DailyWrites{};
  }
  return on_day_of(now(), *daily_writes);
}

Status CacheStore::Impl::check_daily_writes(uint64_t bytes) {
  const uint64_t allowed = limits.automatic_write_bytes_per_day;
  const uint64_t written = written_today().bytes;
  if (allowed == 0 || (written <= allowed && bytes <= allowed - written)) return {};
  return fail(ErrorCode::kNoSpace, "today's budget of automatic states is used up: " + std::to_string(written >> 20) +
                                       " MiB of " + std::to_string(allowed >> 20) + " MiB are written");
}

// Written down before the state takes its place: a crash may count too much, never too little.
Status CacheStore::Impl::count_daily_writes(uint64_t bytes) {
  if (const Status room = check_daily_writes(bytes); !room) return room;
  DailyWrites writes = written_today();
  writes.bytes += bytes;
  const std::string path = daily_writes_path();
  const Status status = replace_file(files, path + ".new", path, serialise_daily_writes(writes));
  if (status) daily_writes = writes;
  return status;
}

StoreUse CacheStore::use() {
  const ChangeNotice notice(impl_.get());
  const std::lock_guard guard(impl_->budget_mutex);
  impl_->complete_all();
  StoreUse use{.limits = impl_->limits, .automatic_bytes_written_today = impl_->written_today().bytes};
  for (const EvictionEntry& entry : impl_->eviction_entries({})) {
    const uint64_t bytes = entry.text_bytes + entry.state_bytes;
    use.total_bytes += bytes;
    use.model_bytes[entry.model] += bytes;
    if (entry.automatic) use.automatic_bytes += bytes;
    ++(entry.automatic ? use.automatic_entries : use.entries);
  }
  use.free_bytes = impl_->files->free_bytes(impl_->root).value_or(0);
  return use;
}

Result<PendingState> CacheStore::begin_automatic(const std::string& model, uint64_t bytes) {
  const ChangeNotice notice(impl_.get());
  if (!usable_model_folder(model)) return fail(ErrorCode::kInvalidArgument, "this is no name for a model", "model");
  const std::lock_guard guard(impl_->budget_mutex);
  if (const Status room = impl_->check_daily_writes(bytes); !room) return fail(room.error());
  return impl_->automatic.begin(model);
}

Result<StateKey> CacheStore::commit_automatic(const std::string& model, PendingState payload,
                                              const AutomaticState& state) {
  const ChangeNotice notice(impl_.get());
  if (!usable_model_folder(model)) return fail(ErrorCode::kInvalidArgument, "this is no name for a model", "model");
  const std::lock_guard guard(impl_->budget_mutex);
  Status room;
  if (impl_->is_limited() || impl_->limits.automatic_bytes != 0) {
    room = impl_->make_room({.model = model, .bytes = state.bytes, .automatic = true, .value = state.value}, "", false);
  }
  if (room) room = impl_->count_daily_writes(state.bytes);
  if (!room) return fail(room.error());
  auto key = impl_->automatic.commit(model, &payload, state, impl_->now());
  if (key) impl_->note_change(model, "");
  return key;
}

}  // namespace rockllama
