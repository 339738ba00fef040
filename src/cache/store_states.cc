// The states that are there to be used: opening them, the list of all, and who hears when it changes.
#include <spdlog/spdlog.h>

#include "cache/store_impl.h"

namespace rockllama {

// The descriptor that is returned is the one that was checked, so a file that is replaced meanwhile does no harm.
Result<OpenState> CacheStore::open_state(const std::string& model, const std::string& name, StateFormat,
                                         const StateKey& key) {
  const ChangeNotice notice(impl_.get());
  std::optional<StateRecord> record;
  FileInfo verified;
  auto fd = impl_->with_existing(model, name, [&](CacheSlot& slot) -> Result<UniqueFd> {
    record = slot.ready_record(key.id);
    if (!record) return fail(ErrorCode::kNotFound, "the state is not there any more");
    if (const auto known = slot.verified.find(key.id); known != slot.verified.end()) verified = known->second;
    slot.note_opening(impl_->now());
    return impl_->files->open(slot.path(record->file));
  });
  if (!fd) return fail(fd.error());
  const auto info = check_payload(impl_->files, {record->size, record->checksum}, fd->get(), verified);
  if (!info && info.error().code == ErrorCode::kCorrupt) {
    const Status moved = quarantine(model, name, record->format, key, info.error().message);
    spdlog::warn("cache {}/{}: its {} state was put into quarantine: {}{}", model, name, to_string(record->format),
                 info.error().message, moved ? "" : " (the disk did not take that)");
  }
  if (!info) return fail(info.error());
  if (*info != verified) {
    (void)impl_->with_existing(model, name, [&](CacheSlot& slot) -> Status {
      if (slot.ready_record(key.id)) slot.verified[key.id] = *info;
      return {};
    });
  }
  return OpenState{key, std::move(*fd), info->size};
}

Status CacheStore::quarantine(const std::string& model, const std::string& name, StateFormat, const StateKey& key,
                              const std::string& reason) {
  const ChangeNotice notice(impl_.get());
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.quarantine(key.id, reason); });
}

Status CacheStore::mark_stale(const std::string& model, const std::string& name, StateFormat, const StateKey& key,
                              const std::string& reason) {
  const ChangeNotice notice(impl_.get());
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.mark_stale(key.id, reason); });
}

std::vector<KnownState> CacheStore::known_states(const std::string& model, const std::string& fingerprint) {
  const ChangeNotice notice(impl_.get());
  std::vector<KnownState> states;
  if (!usable_model_folder(model) || fingerprint.empty()) return states;
  (void)impl_->scan(model);
  const Family family = impl_->index.family(model);
  for (const std::string& name : impl_->index.names(model)) {
    const auto kin = family.find(name);
    const LineCheck line = kin == family.end() ? LineCheck{} : impl_->check_line(model, name, kin->second.parent);
    const auto known = impl_->with_existing(model, name, [&](CacheSlot& slot) -> Result<std::vector<KnownState>> {
      return slot.known_states(fingerprint, line);
    });
    if (known) states.insert(states.end(), known->begin(), known->end());
  }
  const auto automatic = impl_->automatic.known(model, fingerprint);
  states.insert(states.end(), automatic.begin(), automatic.end());
  return states;
}

Result<OpenState> CacheStore::open_automatic(const std::string& model, const StateKey& key) {
  const ChangeNotice notice(impl_.get());
  auto state = impl_->automatic.open(model, key, impl_->now());
  if (!state) impl_->note_change(model, "");
  return state;
}

Status CacheStore::remove_automatic(const std::string& model, const std::string& id) {
  const ChangeNotice notice(impl_.get());
  const Status removed = impl_->automatic.remove(model, id);
  if (removed) impl_->note_change(model, "");
  return removed;
}

Status CacheStore::quarantine_automatic(const std::string& model, const std::string& id, const std::string& reason) {
  spdlog::warn("an automatic state of model {} is removed: {}", model, reason);
  return remove_automatic(model, id);
}

void CacheStore::set_listener(std::function<void(const std::string&, const std::string&)> listener) {
  const std::lock_guard guard(impl_->changes_mutex);
  impl_->listener = std::move(listener);
  impl_->changes.clear();
}

void CacheStore::Impl::note_change(const std::string& model, const std::string& name) {
  const std::lock_guard guard(changes_mutex);
  if (listener) changes.insert({model, name});
}

void CacheStore::Impl::tell_changes() {
  std::set<CacheIndex::Key> told;
  std::function<void(const std::string&, const std::string&)> tell;
  {
    const std::lock_guard guard(changes_mutex);
    if (changes.empty()) return;
    told.swap(changes);
    tell = listener;
  }
  const std::set<CacheIndex::Key> changed = told;
  for (const auto& [model, name] : changed) {
    if (name.empty()) continue;
    for (std::string& descendant : descendants_of(index.family(model), name))
      told.insert({model, std::move(descendant)});
  }
  for (const auto& [model, name] : told) tell(model, name);
}

}  // namespace rockllama
