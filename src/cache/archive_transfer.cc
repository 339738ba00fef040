#include "cache/archive_transfer.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/posix_file_system.h"
#include "cache/cache_names.h"

namespace rockllama {
namespace {

constexpr const char* kImportSource = "import";

// What a cache continues, its parent first.
Result<std::vector<ArchivedAncestor>> ancestors_of(CacheStore* store, const std::string& model, std::string parent) {
  std::vector<ArchivedAncestor> ancestors;
  while (!parent.empty()) {
    if (ancestors.size() == kMostAncestors) {
      return fail(ErrorCode::kInvalidArgument, "the cache continues more than 8 others, or itself");
    }
    auto text = store->text(model, parent);
    const auto info = store->find(model, parent, "");
    if (!text || !info) {
      return fail(ErrorCode::kNotFound, "there is no cache '" + parent + "', which this one continues", "parent");
    }
    ancestors.push_back({parent, std::move(*text)});
    parent = info->parent;
  }
  return ancestors;
}

// Keeps one state of a format, the newest that can be opened.
std::vector<UniqueFd> open_states(CacheStore* store, const std::string& model, const std::string& name,
                                  const RecordedCache& recorded, std::vector<StateRecord>* opened) {
  std::vector<UniqueFd> files;
  for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
    const StateRecord* best = nullptr;
    std::optional<OpenState> file;
    for (size_t i = 0; i < recorded.keys.size(); ++i) {
      const StateRecord& record = recorded.metadata.states[i];
      if (record.format != format || (best != nullptr && best->modified_at >= record.modified_at)) continue;
      auto state = store->open_state(model, name, format, recorded.keys[i]);
      if (!state) continue;
      best = &record;
      file = std::move(*state);
    }
    if (best == nullptr) continue;
    opened->push_back(*best);
    files.push_back(std::move(file->file));
  }
  return files;
}

// Into a temporary file of the store.
Result<NewState> spool(CacheStore* store, const ByteSource& source, const StateRecord& record, uint64_t payload,
                       const std::string& model, const std::string& name) {
  auto pending = store->begin_state(model, name, record.format);
  if (!pending) return fail(pending.error());
  const UniqueFd file = pending->take_fd();
  Hasher hasher;
  const auto got = read_pieces(source, payload, record.size, [&](std::string_view piece) {
    hasher.update(piece);
    return write_descriptor(file.get(), piece);
  });
  if (!got) return fail(got.error());
  if (*got != record.size) return fail(ErrorCode::kIo, "the archive became shorter while it was read");
  if (hasher.digest() != record.checksum) return fail(ErrorCode::kIo, "the archive changed while it was read");
  SavedState saved{.tokens = record.tokens,
                   .token_hash = record.token_hash,
                   .bytes = record.size,
                   .cuts = record.cuts,
                   .prefill_ms = record.prefill_ms,
                   .first_token_ms = record.first_token_ms,
                   .note = record.note,
                   .counted_tokens = record.counted_tokens};
  return NewState{std::move(*pending), record.format, record.engine, record.fingerprint, std::move(saved)};
}

// One archive on its way into the store.
class Import {
 public:
  Import(CacheStore* store, const ByteSource& source, const ImportOrder& order, const OpenArchive& open)
      : store_(store), source_(source), order_(order), open_(open), cache_(open.archive.cache) {
    result_.model = order.model;
    result_.name = order.name.value_or(cache_.cache_name);
  }

  Result<ImportedCache> run() {
    Status status = check_names();
    if (status) status = look_for_ancestors();
    if (status) status = spool_states();
    if (status) status = commit();
    if (!status) return fail(status.error());
    return result_;
  }

 private:
  Status check_names() {
    if (order_.name && !valid_cache_name(*order_.name)) {
      return fail(ErrorCode::kInvalidArgument, kCacheNameRule, "name");
    }
    const auto found = store_->find(order_.model, result_.name, "");
    if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
    if (found && !order_.overwrite) {
      return fail(ErrorCode::kConflict, "cache '" + result_.name + "' exists already", "name");
    }
    return {};
  }

  // What is there stays; only what is missing is made.
  Status look_for_ancestors() {
    const auto& ancestors = open_.archive.ancestors;
    for (size_t i = ancestors.size(); i-- > 0;) {
      if (ancestors[i].name == result_.name) {
        return fail(ErrorCode::kConflict, "the cache would continue itself; import it under another name", "name");
      }
      const auto text = store_->text(order_.model, ancestors[i].name);
      const auto info = store_->find(order_.model, ancestors[i].name, "");
      const std::string parent = i + 1 < ancestors.size() ? ancestors[i + 1].name : "";
      if (text && (*text != ancestors[i].text || !info || info->parent != parent)) {
        return fail(ErrorCode::kConflict, "it continues cache '" + ancestors[i].name +
                                              "', which is there with another text or parent; delete that one first");
      }
      if (!text && text.error().code != ErrorCode::kNotFound) return fail(text.error());
      if (!text) missing_.push_back(i);
    }
    return {};
  }

  Status spool_states() {
    for (size_t i = 0; i < cache_.states.size(); ++i) {
      const StateRecord& record = cache_.states[i];
      ImportedState& state = result_.states.emplace_back(ImportedState{.format = record.format});
      state.kept = order_.fingerprint.empty() || record.fingerprint == order_.fingerprint;
      if (!state.kept) {
        state.reason = "it is of another model or engine; it is made again from the text";
        continue;
      }
      if (order_.fingerprint.empty()) state.reason = "the model is not loaded: used if it is the model of this state";
      auto spooled = spool(store_, source_, record, open_.payloads[i], order_.model, result_.name);
      if (!spooled) return fail(spooled.error());
      states_.push_back(std::move(*spooled));
    }
    return {};
  }

  Status commit() {
    Status status;
    for (const size_t i : missing_) {
      const auto& ancestors = open_.archive.ancestors;
      const std::string parent = i + 1 < ancestors.size() ? ancestors[i + 1].name : "";
      status = store_->commit(order_.model, ancestors[i].name, ancestors[i].text, {},
                              {.source = kImportSource, .parent = parent, .overwrite = false});
      if (!status) break;
      result_.ancestors.push_back(ancestors[i].name);
    }
    if (status) status = commit_cache();
    if (status) return {};
    for (auto name = result_.ancestors.rbegin(); name != result_.ancestors.rend(); ++name) {
      (void)store_->remove(order_.model, *name);
    }
    return status;
  }

  // What was left of its life at the export begins anew.
  Status commit_cache() {
    CacheAttributes attributes{.source = kImportSource,
                               .parent = cache_.parent,
                               .pinned = cache_.pinned,
                               .expires_at = 0,
                               .overwrite = order_.overwrite};
    if (cache_.expires_at > 0) {
      attributes.expires_at = order_.now + std::max(1.0, cache_.expires_at - open_.archive.exported_at);
    }
    return store_->commit(order_.model, result_.name, *cache_.content, std::move(states_), attributes);
  }

  CacheStore* const store_;
  const ByteSource& source_;
  const ImportOrder& order_;
  const OpenArchive& open_;
  const CacheMetadata& cache_;
  std::vector<size_t> missing_{};  // ancestors to make, the oldest first
  std::vector<NewState> states_{};
  ImportedCache result_{};
};

}  // namespace

Result<ArchiveStream> export_cache(CacheStore* store, const std::string& model, const std::string& name,
                                   bool with_states) {
  auto recorded = store->recorded(model, name);
  if (!recorded) return fail(recorded.error());
  auto ancestors = ancestors_of(store, model, recorded->metadata.parent);
  if (!ancestors) return fail(ancestors.error());
  CacheArchive archive{recorded->metadata, std::move(*ancestors), unix_seconds()};
  archive.cache.states.clear();
  std::vector<UniqueFd> files;
  if (with_states) files = open_states(store, model, name, *recorded, &archive.cache.states);
  return ArchiveStream::make(archive, std::move(files));
}

Result<ImportedCache> import_archive(CacheStore* store, const ByteSource& source, const OpenArchive& open,
                                     const ImportOrder& order) {
  return Import(store, source, order, open).run();
}

Result<ByteSource> descriptor_source(int fd) {
  const auto info = stat_descriptor(fd);
  if (!info) return fail(info.error());
  return ByteSource{info->size,
                    [fd](uint64_t offset, std::span<char> room) { return read_descriptor(fd, offset, room); }};
}

}  // namespace rockllama
