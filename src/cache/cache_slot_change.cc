// Changes of a cache that are no commit: each is one rewrite of the metadata or a removal.
#include <algorithm>

#include "cache/cache_names.h"
#include "cache/cache_slot.h"

namespace rockllama {

void CacheSlot::add_uses(CacheMetadata* metadata) const {
  metadata->hits += hits_;
  metadata->last_used_at = std::max(metadata->last_used_at, last_used_at_);
}

Status CacheSlot::update(const std::function<void(CacheMetadata*)>& change) {
  auto file = read_metadata();
  if (!file) return fail(file.error());
  if (file->pending || !file->current) return fail(ErrorCode::kIo, "a commit of the prompt cache is not finished");
  change(&*file->current);
  add_uses(&*file->current);
  const Status written = write_metadata(*file);
  if (!written) return written;
  hits_ = 0;
  forget();
  return {};
}

Status CacheSlot::refuse(const std::string& id, StateStatus status, const std::string& reason) {
  const StateRecord* found = find_record(id);
  if (found == nullptr) return fail(ErrorCode::kNotFound, "there is no such state");
  refused_[id] = {status, reason};
  note_offer();
  verified.erase(id);
  std::string file = found->file;
  if (status == StateStatus::kQuarantined) {
    const std::string bad = bad_state_file_name(name_, found->format, found->engine);
    if (files_->rename(path(file), path(bad))) file = bad;
  }
  return update([&](CacheMetadata* metadata) {
    for (StateRecord& record : metadata->states) {
      if (state_id(record) != id) continue;
      record.file = file;
      record.status = status;
      record.reason = reason;
    }
  });
}

Status CacheSlot::quarantine(const std::string& id, const std::string& reason) {
  return refuse(id, StateStatus::kQuarantined, reason);
}

Status CacheSlot::mark_stale(const std::string& id, const std::string& reason) {
  return refuse(id, StateStatus::kStale, reason);
}

std::vector<std::string> CacheSlot::possible_state_files() const {
  std::vector<std::string> names;
  for (const char* engine : {"llama.cpp", "rkllm"}) {
    for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
      names.push_back(state_file_name(name_, format, engine));
      names.push_back(bad_state_file_name(name_, format, engine));
    }
  }
  return names;
}

// The metadata goes last, once the rest is gone for good: as long as it is there, the cache has text and attributes.
Status CacheSlot::remove() {
  std::vector<std::string> names = possible_state_files();
  names.push_back(text_file_name(name_));
  forget();
  for (const std::string& name : names) {
    if (const Status removed = files_->remove(path(name)); !removed) return removed;
  }
  if (const Status synced = files_->sync_folder(folder_); !synced) return synced;
  if (const Status removed = files_->remove(path(metadata_file_name(name_))); !removed) return removed;
  text_.reset();
  metadata_ = {};
  has_strays_ = false;
  offer_hash_ = {};
  hits_ = 0;
  last_used_at_ = 0;
  return files_->sync_folder(folder_);
}

Status CacheSlot::remove_states() {
  if (!text_) return fail(ErrorCode::kNotFound, "the prompt cache has no text");
  if (readable_ && !metadata_.states.empty()) {
    const Status updated = update([](CacheMetadata* metadata) { metadata->states.clear(); });
    if (!updated) return updated;
  }
  for (const std::string& name : possible_state_files()) {
    if (const Status removed = files_->remove(path(name)); !removed) return removed;
  }
  return files_->sync_folder(folder_);
}

Status CacheSlot::drop_states() {
  if (!readable_ || metadata_.states.empty()) return {};
  const Status updated = update([](CacheMetadata* metadata) { metadata->states.clear(); });
  if (!updated) return updated;
  remove_unnamed_states({});
  return files_->sync_folder(folder_);
}

// States of the RKLLM engine may be the Python server's: of these only those go that our metadata named.
void CacheSlot::remove_unnamed_states(const CacheMetadata& named) {
  std::vector<std::string> candidates;
  for (const StateRecord& record : metadata_.states) candidates.push_back(record.file);
  for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
    candidates.push_back(state_file_name(name_, format, "llama.cpp"));
    candidates.push_back(bad_state_file_name(name_, format, "llama.cpp"));
  }
  for (const std::string& file : candidates) {
    const bool is_named = std::any_of(named.states.begin(), named.states.end(),
                                      [&](const StateRecord& record) { return record.file == file; });
    if (!is_named) (void)files_->remove(path(file));
  }
}

void CacheSlot::clean_up(const std::vector<std::string>& temporaries) {
  if (unsettled_) return;
  for (const std::string& file : temporaries) (void)files_->remove(path(file));
}

Status CacheSlot::flush() {
  if (hits_ == 0 && last_used_at_ <= metadata_.last_used_at) return {};
  if (!readable_ || unsettled_) return {};
  return update([](CacheMetadata*) {});
}

}  // namespace rockllama
