// The commit, and how one that broke off is settled; the order of steps is that of docs/cache-format.md.
#include <algorithm>

#include "base/characters.h"
#include "cache/cache_names.h"
#include "cache/cache_slot.h"

namespace rockllama {
namespace {

// Metadata is read from a disk that anybody may have written to: it must not make us rename or remove other files.
bool names_only_own_files(const std::string& cache, const PendingCommit& pending) {
  return std::all_of(pending.files.begin(), pending.files.end(), [&](const Replacement& file) {
    const auto from = parse_cache_file_name(file.from);
    const auto to = parse_cache_file_name(file.to);
    return from && to && from->cache == cache && to->cache == cache && from->kind == CacheFileKind::kTemporary &&
           (to->kind == CacheFileKind::kText || to->kind == CacheFileKind::kState);
  });
}

}  // namespace

CacheMetadata CacheSlot::next_metadata(const CommitOrder& order) const {
  CacheMetadata next = metadata_;
  const Hash128 text_hash = hash_bytes(order.text);
  if (next.text_hash != text_hash) next.states.clear();
  if (next.created_at == 0) next.created_at = order.now;
  next.cache_name = name_;
  next.model_name = model_;
  next.modified_at = order.now;
  next.content = order.text;
  next.content_length = count_characters(order.text);
  next.text_hash = text_hash;
  ++next.generation;
  next.source = order.attributes.source.value_or(source());
  if (order.attributes.parent) next.parent = *order.attributes.parent;
  if (order.attributes.pinned) next.pinned = *order.attributes.pinned;
  if (order.attributes.expires_at) next.expires_at = *order.attributes.expires_at;
  std::vector<Hash128> line = order.ancestors;
  line.push_back(text_hash);
  for (const StagedState& staged : order.states) {
    StateRecord record = staged.record;
    if (line.size() > 1) record.line = hash_line(line);
    record.file = state_file_name(name_, record.format, record.engine);
    record.generation = next.generation;
    std::erase_if(next.states, [&](const StateRecord& old) {
      return old.file == record.file || old.file == bad_state_file_name(name_, record.format, record.engine);
    });
    next.states.push_back(std::move(record));
  }
  add_uses(&next);
  return next;
}

uint64_t CacheSlot::bytes_after(const CommitOrder& order) const {
  uint64_t bytes = order.text.size();
  for (const StateRecord& record : next_metadata(order).states) bytes += record.size;
  return bytes;
}

// What a rename could not replace must be known before the intent is written: it could not be followed to its end.
Status CacheSlot::check_places(const PendingCommit& pending) const {
  for (const Replacement& file : pending.files) {
    const auto info = files_->stat(path(file.to));
    if (info && info->is_folder) return fail(ErrorCode::kIo, "a folder is in the place of the file '" + file.to + "'");
  }
  return {};
}

Result<MetadataFile> CacheSlot::stage(const CommitOrder& order) {
  MetadataFile file;
  if (readable_) {
    auto current = read_metadata();
    if (!current) return fail(current.error());
    file.current = std::move(current->current);
  }
  file.pending = PendingCommit{next_metadata(order)};
  const Hash128 text_hash = *file.pending->next.text_hash;
  const auto old_text = hash_of(text_file_name(name_));
  if (!old_text) return fail(old_text.error());
  if (*old_text != text_hash) {
    const Status written = files_->write_synced(path(new_text_file_name(name_)), order.text);
    if (!written) return fail(written.error());
    file.pending->files.push_back({new_text_file_name(name_), text_file_name(name_), *old_text, text_hash});
  }
  for (const StagedState& staged : order.states) {
    Replacement replacement{staged.file, state_file_name(name_, staged.record.format, staged.record.engine),
                            std::nullopt, staged.record.checksum};
    for (const StateRecord& old : metadata_.states) {
      if (old.file == replacement.to) replacement.old_hash = old.checksum;
    }
    file.pending->files.push_back(std::move(replacement));
  }
  if (const Status free = check_places(*file.pending); !free) return fail(free.error());
  return file;
}

Status CacheSlot::commit(const CommitOrder& order, const std::function<void()>& intent_written) {
  const auto file = stage(order);
  Status status = file ? files_->sync_folder(folder_) : Status(fail(file.error()));
  if (status) status = write_metadata(*file);
  if (!status) {
    (void)files_->remove(path(new_text_file_name(name_)));
    return status;
  }
  intent_written();
  status = files_->sync_folder(folder_);
  if (status) status = apply(*file, {.forward = true, .renames = file->pending->files});
  bool forward = true;
  if (!status && settle(*file, CommitPreference::kBack, &forward) && forward) status = {};
  if (status) {
    remove_unnamed_states(file->pending->next);
    // Where metadata was lost, generations begin anew, and with them ids.
    for (const StateRecord& record : file->pending->next.states) {
      if (record.generation == file->pending->next.generation) refused_.erase(state_id(record));
    }
    hits_ = 0;
  }
  forget();
  return status;
}

Status CacheSlot::settle(const MetadataFile& file, CommitPreference preference, bool* forward) {
  if (!names_only_own_files(name_, *file.pending)) {
    return fail(ErrorCode::kCorrupt, "its metadata names files of others");
  }
  std::vector<ObservedFiles> observed;
  for (const Replacement& replacement : file.pending->files) {
    const auto from = hash_of(replacement.from);
    if (!from) return fail(from.error());
    const auto to = hash_of(replacement.to);
    if (!to) return fail(to.error());
    observed.push_back({*from, *to});
  }
  const CommitPlan plan = plan_commit(*file.pending, observed, text_file_name(name_), preference);
  *forward = plan.forward;
  return apply(file, plan);
}

Status CacheSlot::apply(const MetadataFile& file, const CommitPlan& plan) {
  for (const Replacement& rename : plan.renames) {
    const Status renamed = files_->rename(path(rename.from), path(rename.to));
    if (!renamed) return renamed;
  }
  if (const Status synced = files_->sync_folder(folder_); !synced) return synced;
  MetadataFile final{.current = file.current};
  if (plan.forward) {
    final.current = file.pending->next;
    if (file.current) final.current->others = file.current->others;
    // Looked at before it is read, so that an edit in between is noticed.
    const auto text = look(text_file_name(name_));
    const auto hash = hash_of(text_file_name(name_));
    const bool as_committed = text && *text && hash && *hash == final.current->text_hash;
    final.current->text_file = as_committed ? **text : FileInfo{};
  }
  Status status;
  if (final.current) {
    std::erase_if(final.current->states, [&](const StateRecord& record) {
      return std::find(plan.lost_states.begin(), plan.lost_states.end(), record.file) != plan.lost_states.end();
    });
    status = write_metadata(final);
  } else {
    status = files_->remove(path(metadata_file_name(name_)));
  }
  if (!status) return status;
  // What fails from here on is made good at the next opening: a crash would bring back the intent, which leads here.
  (void)files_->sync_folder(folder_);
  for (const std::string& removal : plan.removals) (void)files_->remove(path(removal));
  return {};
}

Status CacheSlot::write_metadata(const MetadataFile& file) {
  return replace_file(files_, path(new_metadata_file_name(name_)), path(metadata_file_name(name_)),
                      serialise_metadata(file));
}

}  // namespace rockllama
