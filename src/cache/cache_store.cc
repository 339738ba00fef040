#include "cache/cache_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "cache/cache_names.h"
#include "cache/cache_slot.h"
#include "cache/store_opening.h"

namespace rockllama {

struct CacheStore::Impl {
  FileSystem* files;
  std::string root;
  UniqueFd lock;
  std::mutex mutex{};  // of `slots`; taken before none and after none of the slots' own
  std::map<std::pair<std::string, std::string>, std::shared_ptr<CacheSlot>> slots{};
  std::atomic<uint64_t> payloads = 0;  // counts temporary names, so that two builds do not meet

  [[nodiscard]] std::string folder(const std::string& model) const { return root + "/" + model; }

  std::shared_ptr<CacheSlot> slot(const std::string& model, const std::string& name) {
    const std::lock_guard guard(mutex);
    auto& slot = slots[{model, name}];
    if (!slot) slot = std::make_shared<CacheSlot>(files, folder(model), model, name);
    return slot;
  }

  // Names that clients made up must not pile up.
  void give_back(const std::string& model, const std::string& name, std::shared_ptr<CacheSlot> used, bool exists) {
    const std::lock_guard guard(mutex);
    used.reset();
    const auto found = slots.find({model, name});
    if (!exists && found != slots.end() && found->second.use_count() == 1) slots.erase(found);
  }

  // Runs `use` on the refreshed cache, under its lock.
  template <class Use>
  auto with(const std::string& model, const std::string& name, Use use) -> decltype(use(std::declval<CacheSlot&>())) {
    if (!usable_model_folder(model) || !usable_cache_name(name)) return no_such_cache();
    std::shared_ptr<CacheSlot> used = slot(model, name);
    std::unique_lock guard(used->mutex);
    auto run = [&]() -> decltype(use(*used)) {
      if (const Status fresh = used->refresh(); !fresh) return fail(fresh.error());
      return use(*used);
    };
    auto result = run();
    const bool exists = used->exists();
    guard.unlock();
    give_back(model, name, std::move(used), exists);
    return result;
  }

  // The same for a cache that has to be there.
  template <class Use>
  auto with_existing(const std::string& model, const std::string& name, Use use)
      -> decltype(use(std::declval<CacheSlot&>())) {
    return with(model, name, [&](CacheSlot& found) -> decltype(use(found)) {
      if (!found.exists()) return no_such_cache();
      return use(found);
    });
  }

  [[nodiscard]] static bool has_ready_state(const Result<std::vector<CacheInfo>>& infos) {
    if (!infos) return false;
    const auto is_ready = [](const StateInfo& state) { return state.status == StateStatus::kReady; };
    return std::any_of(infos->begin(), infos->end(), [&](const CacheInfo& info) {
      return std::any_of(info.binary.begin(), info.binary.end(), is_ready);
    });
  }

  void forget(const std::string& model) {
    const std::lock_guard guard(mutex);
    std::erase_if(slots, [&](const auto& slot) { return slot.first.first == model; });
  }

  static tl::unexpected<Error> no_such_cache() { return fail(ErrorCode::kNotFound, "there is no such prompt cache"); }

  Result<std::vector<StagedState>> stage(const std::vector<NewState>& states, double now);
  Status commit(const std::string& model, const std::string& name, const std::string& text,
                std::vector<NewState> states, const CacheAttributes& attributes, bool same_text);
};

CacheStore::CacheStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CacheStore::~CacheStore() { flush(); }

Result<std::unique_ptr<CacheStore>> CacheStore::open(FileSystem* files, std::string root) {
  if (const Status made = files->make_folders(root); !made) return fail(made.error());
  auto lock = files->lock(root + "/.lock");
  if (!lock) return fail(lock.error());
  if (const Status settled = settle_store(files, root); !settled) return fail(settled.error());
  return std::unique_ptr<CacheStore>(new CacheStore(
      std::unique_ptr<Impl>(new Impl{.files = files, .root = std::move(root), .lock = std::move(*lock)})));
}

std::vector<std::string> CacheStore::models() {
  std::vector<std::string> models;
  const auto entries = impl_->files->list(impl_->root);
  if (!entries) return models;
  for (const FolderEntry& entry : *entries) {
    if (!entry.info.is_folder || !usable_model_folder(entry.name)) continue;
    const auto names = cache_names(impl_->files, impl_->folder(entry.name));
    if (names && !names->empty()) models.push_back(entry.name);
  }
  return models;
}

Result<std::string> CacheStore::move_along(const std::string& model, const std::string& fingerprint,
                                           const std::function<bool(const std::string&)>& is_served) {
  const std::vector<std::string> old_names = models();
  if (std::find(old_names.begin(), old_names.end(), model) != old_names.end()) return std::string();
  for (const std::string& old : old_names) {
    if (is_served(old) || !Impl::has_ready_state(list(old, fingerprint))) continue;
    // Empty where it is there at all: a rename takes its place.
    const Status moved = impl_->files->rename(impl_->folder(old), impl_->folder(model));
    if (!moved) return fail(moved.error());
    impl_->forget(old);
    if (const Status synced = impl_->files->sync_folder(impl_->root); !synced) return fail(synced.error());
    return old;
  }
  return std::string();
}

Result<std::vector<CacheInfo>> CacheStore::list(const std::string& model, const std::string& fingerprint) {
  std::vector<CacheInfo> infos;
  if (!usable_model_folder(model)) return infos;
  const auto names = cache_names(impl_->files, impl_->folder(model));
  if (!names) return fail(names.error());
  for (const std::string& name : *names) {
    auto info = find(model, name, fingerprint);
    if (info)
      infos.push_back(std::move(*info));
    else if (info.error().code != ErrorCode::kNotFound) {
      spdlog::warn("cache {}/{} cannot be read: {}", model, name, info.error().message);
    }
  }
  return infos;
}

Result<CacheInfo> CacheStore::find(const std::string& model, const std::string& name, const std::string& fingerprint) {
  return impl_->with_existing(model, name,
                              [&](CacheSlot& slot) -> Result<CacheInfo> { return slot.info(fingerprint); });
}

Result<std::string> CacheStore::text(const std::string& model, const std::string& name) {
  return impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.read_text(); });
}

Result<CacheReference> CacheStore::reference(const std::string& model, const std::string& name, StateFormat format,
                                             const std::string& fingerprint) {
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.reference(format, fingerprint); });
}

Result<PendingState> CacheStore::begin_state(const std::string& model, const std::string& name, StateFormat format) {
  if (!usable_model_folder(model) || !usable_cache_name(name)) {
    return fail(ErrorCode::kInvalidArgument, "this is no name for a prompt cache", "cache_name");
  }
  if (const Status made = impl_->files->make_folders(impl_->folder(model)); !made) return fail(made.error());
  std::string path = impl_->folder(model) + "/" + new_state_file_name(name, format, ++impl_->payloads);
  auto fd = impl_->files->create(path);
  if (!fd) return fail(fd.error());
  return PendingState(impl_->files, std::move(path), std::move(*fd));
}

Status CacheStore::commit(const std::string& model, const std::string& name, const std::string& text,
                          std::vector<NewState> states, const CacheAttributes& attributes) {
  return impl_->commit(model, name, text, std::move(states), attributes, false);
}

Status CacheStore::add_states(const std::string& model, const std::string& name, const std::string& text,
                              std::vector<NewState> states) {
  return impl_->commit(model, name, text, std::move(states), {}, true);
}

// Syncs and hashes the payloads, before any lock: they are this call's own.
Result<std::vector<StagedState>> CacheStore::Impl::stage(const std::vector<NewState>& states, double now) {
  std::vector<StagedState> staged;
  for (const NewState& state : states) {
    const std::string& path = state.payload.path();
    if (const Status synced = files->sync(path); !synced) return fail(synced.error());
    const auto info = files->stat(path);
    if (!info) return fail(info.error());
    if (info->size != state.saved.bytes) return fail(ErrorCode::kCorrupt, "the state was not written in full");
    const auto checksum = files->hash(path);
    if (!checksum) return fail(checksum.error());
    staged.push_back({path.substr(path.find_last_of('/') + 1),
                      {.engine = state.engine,
                       .format = state.format,
                       .file = {},
                       .size = info->size,
                       .checksum = *checksum,
                       .tokens = state.saved.tokens,
                       .token_hash = state.saved.token_hash,
                       .cuts = state.saved.cuts,
                       .fingerprint = state.fingerprint,
                       .created_at = now,
                       .modified_at = now,
                       .note = state.saved.note,
                       .prefill_ms = state.saved.prefill_ms,
                       .first_token_ms = state.saved.first_token_ms}});
  }
  return staged;
}

Status CacheStore::Impl::commit(const std::string& model, const std::string& name, const std::string& text,
                                std::vector<NewState> states, const CacheAttributes& attributes, bool same_text) {
  if (!usable_model_folder(model) || !usable_cache_name(name)) {
    return fail(ErrorCode::kInvalidArgument, "this is no name for a prompt cache", "cache_name");
  }
  const double now = unix_seconds();
  auto staged = stage(states, now);
  if (!staged) return fail(staged.error());
  if (const Status made = files->make_folders(folder(model)); !made) return made;
  return with(model, name, [&](CacheSlot& slot) -> Status {
    if (same_text) {
      if (!slot.exists()) return no_such_cache();
      const auto current = slot.read_text();
      if (!current) return fail(current.error());
      if (*current != text) return fail(ErrorCode::kConflict, "the text of the prompt cache changed meanwhile");
    }
    if (!attributes.overwrite && slot.exists()) return fail(ErrorCode::kConflict, "the prompt cache exists already");
    return slot.commit({.text = text, .states = std::move(*staged), .attributes = attributes, .now = now}, [&] {
      for (NewState& state : states) state.payload.release();
    });
  });
}

Status CacheStore::remove(const std::string& model, const std::string& name) {
  return impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.remove(); });
}

Status CacheStore::remove_states(const std::string& model, const std::string& name) {
  return impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.remove_states(); });
}

Status CacheStore::quarantine(const std::string& model, const std::string& name, StateFormat, const StateKey& key,
                              const std::string& reason) {
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.quarantine(key.id, reason); });
}

Status CacheStore::mark_stale(const std::string& model, const std::string& name, StateFormat, const StateKey& key,
                              const std::string& reason) {
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.mark_stale(key.id, reason); });
}

// The descriptor that is returned is the one that was checked, so a file that is replaced meanwhile does no harm.
Result<OpenState> CacheStore::open_state(const std::string& model, const std::string& name, StateFormat,
                                         const StateKey& key) {
  std::optional<StateRecord> record;
  std::optional<FileInfo> verified;
  auto fd = impl_->with_existing(model, name, [&](CacheSlot& slot) -> Result<UniqueFd> {
    record = slot.ready_record(key.id);
    if (!record) return fail(ErrorCode::kNotFound, "the state is not there any more");
    if (const auto known = slot.verified.find(key.id); known != slot.verified.end()) verified = known->second;
    return impl_->files->open(slot.path(record->file));
  });
  if (!fd) return fail(fd.error());
  const auto info = impl_->files->stat(fd->get());
  if (!info) return fail(info.error());
  if (verified != *info) {
    const Status checked = check_state(impl_->files, *record, fd->get(), *info);
    if (!checked && checked.error().code == ErrorCode::kCorrupt) {
      const Status moved = quarantine(model, name, record->format, key, checked.error().message);
      spdlog::warn("cache {}/{}: its {} state was put into quarantine: {}{}", model, name, to_string(record->format),
                   checked.error().message, moved ? "" : " (the disk did not take that)");
    }
    if (!checked) return fail(checked.error());
    (void)impl_->with_existing(model, name, [&](CacheSlot& slot) -> Status {
      if (slot.ready_record(key.id)) slot.verified[key.id] = *info;
      return {};
    });
  }
  return OpenState{key, std::move(*fd), info->size};
}

void CacheStore::touch(const std::string& model, const std::string& name, bool hit) {
  (void)impl_->with_existing(model, name, [&](CacheSlot& slot) -> Status {
    slot.touch(hit, unix_seconds());
    return {};
  });
}

void CacheStore::flush() {
  std::vector<std::pair<std::string, std::string>> keys;
  {
    const std::lock_guard guard(impl_->mutex);
    for (const auto& [key, slot] : impl_->slots) keys.push_back(key);
  }
  for (const auto& [model, name] : keys) {
    const Status flushed = impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.flush(); });
    if (!flushed && flushed.error().code != ErrorCode::kNotFound) {
      spdlog::warn("cache {}/{}: its use could not be noted: {}", model, name, flushed.error().message);
    }
  }
}

}  // namespace rockllama
