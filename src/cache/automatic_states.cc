#include "cache/automatic_states.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cache/cache_names.h"
#include "cache/store_opening.h"

namespace rockllama {
namespace {

std::string stem_of(const std::string& id) { return id.substr(id.find_last_of('/') + 1); }

}  // namespace

std::string AutomaticStates::path(const std::string& model, const std::string& file) const {
  return folder(model) + "/" + file;
}

void AutomaticStates::clean_up(const std::string& model) {
  const auto entries = files_->list(folder(model));
  if (!entries) return;
  std::map<std::string, int> halves;
  for (const FolderEntry& entry : *entries) {
    const auto file = entry.info.is_folder ? std::nullopt : parse_automatic_file_name(entry.name);
    if (!file) continue;
    if (file->kind == CacheFileKind::kTemporary) {
      (void)files_->remove(path(model, entry.name));
    } else {
      ++halves[file->stem];
    }
  }
  for (const auto& [stem, count] : halves) {
    if (count != 2) remove_files(model, stem);
  }
}

Result<PendingState> AutomaticStates::begin(const std::string& model) {
  const std::lock_guard guard(mutex_);
  if (const Status made = files_->make_folders(folder(model)); !made) return fail(made.error());
  std::string file = path(model, new_automatic_state_file_name(++payloads_));
  auto fd = files_->create(file);
  if (!fd) return fail(fd.error());
  return PendingState(files_, std::move(file), std::move(*fd));
}

Result<StateKey> AutomaticStates::commit(const std::string& model, PendingState* payload, const AutomaticState& state,
                                         double now) {
  const auto file = hash_payload(files_, payload->path(), state.bytes);
  if (!file) return fail(file.error());
  AutomaticRecord record{.known = state.known,
                         .engine = state.engine,
                         .fingerprint = state.fingerprint,
                         .size = file->size,
                         .checksum = file->checksum,
                         .created_at = now,
                         .last_used_at = now,
                         .value = std::isfinite(state.value) ? state.value : 0};
  const std::lock_guard guard(mutex_);
  if (const Status looked = take_stock_locked(model); !looked) return fail(looked.error());
  uint64_t generation = 1;
  for (const auto& [stem, entry] : models_[model]) {
    generation = std::max(generation, parse_automatic_file_name(automatic_state_file_name(stem))->generation + 1);
  }
  const std::string stem = automatic_stem(generation, record.checksum);
  record.known.name.clear();
  record.known.key.id = model + "/" + kAutomaticFolder + "/" + stem;
  if (const Status placed = put_in_place(model, stem, *payload, record); !placed) {
    remove_files(model, stem);
    return fail(placed.error());
  }
  payload->release();
  const auto info = files_->stat(path(model, automatic_metadata_file_name(stem)));
  models_[model][stem] = {.record = record, .metadata_file = info ? *info : FileInfo{}};
  return record.known.key;
}

Status AutomaticStates::put_in_place(const std::string& model, const std::string& stem, const PendingState& payload,
                                     const AutomaticRecord& record) {
  if (const Status written = write_metadata(model, stem, record); !written) return written;
  const Status renamed = files_->rename(payload.path(), path(model, automatic_state_file_name(stem)));
  return renamed ? files_->sync_folder(folder(model)) : renamed;
}

Status AutomaticStates::write_metadata(const std::string& model, const std::string& stem,
                                       const AutomaticRecord& record) {
  return replace_file(files_, path(model, new_automatic_metadata_file_name(stem)),
                      path(model, automatic_metadata_file_name(stem)), serialise_automatic(record));
}

// The metadata goes first: a payload alone is never taken for a state.
void AutomaticStates::remove_files(const std::string& model, const std::string& stem) {
  (void)files_->remove(path(model, automatic_metadata_file_name(stem)));
  (void)files_->remove(path(model, automatic_state_file_name(stem)));
}

AutomaticStates::Entry* AutomaticStates::find(const std::string& model, const std::string& id) {
  const std::string stem = stem_of(id);
  if (id != model + "/" + kAutomaticFolder + "/" + stem) return nullptr;
  if (!take_stock_locked(model)) return nullptr;
  Entries& entries = models_[model];
  const auto found = entries.find(stem);
  return found == entries.end() ? nullptr : &found->second;
}

Result<OpenState> AutomaticStates::open(const std::string& model, const StateKey& key, double now) {
  const std::string file = path(model, automatic_state_file_name(stem_of(key.id)));
  AutomaticRecord record;
  FileInfo verified;
  {
    const std::lock_guard guard(mutex_);
    const Entry* entry = find(model, key.id);
    if (entry == nullptr) return fail(ErrorCode::kNotFound, "the state is not there any more");
    record = entry->record;
    verified = entry->verified;
  }
  auto fd = files_->open(file);
  if (!fd && fd.error().code == ErrorCode::kNotFound) (void)remove(model, key.id);
  if (!fd) return fail(fd.error());
  const auto info = check_payload(files_, {record.size, record.checksum}, fd->get(), verified);
  if (!info && info.error().code == ErrorCode::kCorrupt) (void)remove(model, key.id);
  if (!info) return fail(info.error());
  const std::lock_guard guard(mutex_);
  if (Entry* entry = find(model, key.id)) {
    entry->verified = *info;
    entry->used = true;
    entry->opened_at = now;
    entry->record.last_used_at = now;
    ++entry->record.hits;
  }
  return OpenState{key, std::move(*fd), info->size};
}

Status AutomaticStates::remove(const std::string& model, const std::string& id) {
  const std::lock_guard guard(mutex_);
  if (find(model, id) == nullptr) return fail(ErrorCode::kNotFound, "there is no such state");
  models_[model].erase(stem_of(id));
  remove_files(model, stem_of(id));
  return {};
}

void AutomaticStates::take_stock(const std::string& model) {
  const std::lock_guard guard(mutex_);
  (void)take_stock_locked(model);
}

Status AutomaticStates::take_stock_locked(const std::string& model) {
  return models_.contains(model) ? Status{} : look(model);
}

// Metadata is read where it changed. What cannot be read now is not known now.
Status AutomaticStates::look(const std::string& model) {
  auto found = files_->list(folder(model));
  if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
  if (!found) found = std::vector<FolderEntry>{};
  Entries& entries = models_[model];
  std::set<std::string> seen;
  for (const FolderEntry& file : *found) {
    const auto name = file.info.is_folder ? std::nullopt : parse_automatic_file_name(file.name);
    if (!name || name->kind != CacheFileKind::kMetadata) continue;
    seen.insert(name->stem);
    const auto known = entries.find(name->stem);
    if (known == entries.end() || known->second.metadata_file != file.info) {
      read_entry(model, name->stem, file.info, &entries);
    }
  }
  std::erase_if(entries, [&](const auto& entry) { return !seen.contains(entry.first); });
  return {};
}

void AutomaticStates::read_entry(const std::string& model, const std::string& stem, const FileInfo& file,
                                 Entries* entries) {
  entries->erase(stem);
  auto record = files_->read(path(model, automatic_metadata_file_name(stem)), kLargestAutomaticMetadata)
                    .and_then(parse_automatic);
  if (!record) {
    if (record.error().code != ErrorCode::kCorrupt) return;
    spdlog::warn("an automatic state of model {} was removed: {}", model, record.error().message);
    return remove_files(model, stem);
  }
  record->known.key.id = model + "/" + kAutomaticFolder + "/" + stem;
  (*entries)[stem] = {.record = std::move(*record), .metadata_file = file};
}

std::vector<KnownState> AutomaticStates::known(const std::string& model, const std::string& fingerprint) {
  const std::lock_guard guard(mutex_);
  std::vector<KnownState> states;
  if (!look(model)) return states;
  std::erase_if(models_[model], [&](const auto& entry) {
    const AutomaticRecord& record = entry.second.record;
    const bool usable = record.fingerprint == fingerprint;
    if (usable) {
      states.push_back(record.known);
    } else {
      remove_files(model, entry.first);
    }
    return !usable;
  });
  return states;
}

std::vector<AutomaticStates::Kept> AutomaticStates::kept(double now) {
  const std::lock_guard guard(mutex_);
  std::vector<Kept> all;
  for (const auto& [model, entries] : models_) {
    for (const auto& [stem, entry] : entries) {
      const AutomaticRecord& record = entry.record;
      all.push_back({model, record.known.key.id, record.size, value_of(record, now), entry.opened_at});
    }
  }
  return all;
}

void AutomaticStates::forget(const std::string& model) {
  const std::lock_guard guard(mutex_);
  models_.erase(model);
}

void AutomaticStates::flush() {
  const std::lock_guard guard(mutex_);
  for (auto& [model, entries] : models_) {
    for (auto& [stem, entry] : entries) {
      if (entry.used && write_metadata(model, stem, entry.record)) entry.used = false;
    }
  }
}

}  // namespace rockllama
