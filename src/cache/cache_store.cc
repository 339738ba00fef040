#include "cache/cache_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "cache/cache_content.h"
#include "cache/cache_names.h"
#include "cache/store_impl.h"

namespace rockllama {
namespace {

bool has_ready_state(const Result<std::vector<CacheInfo>>& infos) {
  if (!infos) return false;
  const auto is_ready = [](const StateInfo& state) { return state.status == StateStatus::kReady; };
  return std::any_of(infos->begin(), infos->end(), [&](const CacheInfo& info) {
    return std::any_of(info.binary.begin(), info.binary.end(), is_ready);
  });
}

Result<CacheLine> contents_of(const LineTexts& line) {
  CacheLine contents;
  for (size_t i = 0; i < line.texts.size(); ++i) {
    auto content = parse_content(line.texts[i]);
    if (!content) {
      return fail(content.error().code, "cache '" + line.names[i] + "': " + content.error().message,
                  content.error().param);
    }
    contents.push_back(std::move(*content));
  }
  return contents;
}

}  // namespace

CacheStore::CacheStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CacheStore::~CacheStore() { flush(); }

Result<std::unique_ptr<CacheStore>> CacheStore::open(FileSystem* files, std::string root, StoreLimits limits,
                                                     Clock clock) {
  if (const Status made = files->make_folders(root); !made) return fail(made.error());
  auto lock = files->lock(root + "/.lock");
  if (!lock) return fail(lock.error());
  if (const Status settled = settle_store(files, root); !settled) return fail(settled.error());
  auto impl = std::make_unique<Impl>(files, std::move(root), limits, std::move(clock));
  impl->lock = std::move(*lock);
  return std::unique_ptr<CacheStore>(new CacheStore(std::move(impl)));
}

std::vector<std::string> CacheStore::Impl::folders() const {
  std::vector<std::string> models;
  const auto entries = files->list(root);
  for (const FolderEntry& entry : entries ? *entries : std::vector<FolderEntry>{}) {
    if (entry.info.is_folder && usable_model_folder(entry.name)) models.push_back(entry.name);
  }
  return models;
}

std::vector<std::string> CacheStore::models() {
  std::vector<std::string> models = impl_->folders();
  std::erase_if(models, [&](const std::string& model) {
    const auto names = cache_names(impl_->files, impl_->folder(model));
    return !names || names->empty();
  });
  return models;
}

Result<std::string> CacheStore::move_along(const std::string& model, const std::string& fingerprint,
                                           const std::function<bool(const std::string&)>& is_served) {
  const std::vector<std::string> old_names = models();
  if (std::find(old_names.begin(), old_names.end(), model) != old_names.end()) return std::string();
  for (const std::string& old : old_names) {
    if (is_served(old) || !has_ready_state(list(old, fingerprint))) continue;
    // Empty where it is there at all: a rename takes its place.
    const Status moved = impl_->files->rename(impl_->folder(old), impl_->folder(model));
    if (!moved) return fail(moved.error());
    for (const std::string& renamed : {old, model}) {
      impl_->index.forget(renamed);
      impl_->automatic.forget(renamed);
    }
    if (const Status synced = impl_->files->sync_folder(impl_->root); !synced) return fail(synced.error());
    return old;
  }
  return std::string();
}

Result<std::vector<CacheInfo>> CacheStore::list(const std::string& model, const std::string& fingerprint) {
  const ChangeNotice notice(impl_.get());
  std::vector<CacheInfo> infos;
  if (!usable_model_folder(model)) return infos;
  const auto names = impl_->names(model);
  if (!names) return fail(names.error());
  bool complete = true;
  for (const std::string& name : *names) {
    auto info = find(model, name, fingerprint);
    if (info) {
      infos.push_back(std::move(*info));
    } else if (info.error().code != ErrorCode::kNotFound) {
      complete = false;
      spdlog::warn("cache {}/{} cannot be read: {}", model, name, info.error().message);
    }
  }
  if (complete) impl_->index.set_complete(model);
  return infos;
}

Result<CacheInfo> CacheStore::find(const std::string& model, const std::string& name, const std::string& fingerprint) {
  const ChangeNotice notice(impl_.get());
  const auto parent = impl_->parent_of(model, name);
  if (!parent) return fail(parent.error());
  const LineCheck line = impl_->check_line(model, name, *parent);
  return impl_->with_existing(model, name,
                              [&](CacheSlot& slot) -> Result<CacheInfo> { return slot.info(fingerprint, line); });
}

Result<std::string> CacheStore::text(const std::string& model, const std::string& name) {
  const ChangeNotice notice(impl_.get());
  return impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.read_text(); });
}

Result<RecordedCache> CacheStore::recorded(const std::string& model, const std::string& name) {
  const ChangeNotice notice(impl_.get());
  const auto parent = impl_->parent_of(model, name);
  if (!parent) return fail(parent.error());
  const LineCheck line = impl_->check_line(model, name, *parent);
  return impl_->with_existing(model, name, [&](CacheSlot& slot) { return slot.recorded(line); });
}

Result<UniqueFd> CacheStore::open_spool() {
  const std::string path = impl_->root + "/" + spool_file_name(++impl_->payloads);
  auto fd = impl_->files->create(path);
  const Status removed = impl_->files->remove(path);
  if (fd && !removed) return fail(removed.error());
  return fd;
}

// Reads and hashes the texts instead of trusting what they looked like: texts and state of one answer belong together.
Result<CacheReference> CacheStore::reference(const std::string& model, const std::string& name, StateFormat format,
                                             const std::string& fingerprint) {
  const ChangeNotice notice(impl_.get());
  const auto parent = impl_->parent_of(model, name);
  if (!parent) return fail(parent.error());
  auto line = impl_->ancestors_of(model, name, *parent, true);
  if (!line) return fail(line.error());
  auto reference = impl_->with_existing(model, name, [&](CacheSlot& slot) -> Result<CacheReference> {
    auto text = slot.read_text();
    if (!text) return fail(text.error());
    line->hashes.push_back(hash_bytes(*text));
    LineCheck check;
    if (!line->names.empty()) check.hash = hash_line(line->hashes);
    line->names.push_back(name);
    line->texts.push_back(std::move(*text));
    return slot.reference(format, fingerprint, line->hashes.back(), check);
  });
  if (!reference) return reference;
  auto contents = contents_of(*line);
  if (!contents) return fail(contents.error());
  reference->line = std::move(*contents);
  return reference;
}

Status CacheStore::remove_states(const std::string& model, const std::string& name) {
  const ChangeNotice notice(impl_.get());
  return impl_->with_existing(model, name, [](CacheSlot& slot) { return slot.remove_states(); });
}

void CacheStore::touch(const std::string& model, const std::string& name, bool hit) {
  const ChangeNotice notice(impl_.get());
  (void)impl_->with_existing(model, name, [&](CacheSlot& slot) -> Status {
    slot.touch(hit, impl_->now());
    return {};
  });
}

void CacheStore::flush() {
  impl_->automatic.flush();
  for (const CacheIndex::Known& known : impl_->index.all()) {
    const auto& [model, name] = known.key;
    const Status flushed = impl_->with(model, name, [](CacheSlot& slot) { return slot.flush(); });
    if (!flushed && flushed.error().code != ErrorCode::kNotFound) {
      spdlog::warn("cache {}/{}: its use could not be noted: {}", model, name, flushed.error().message);
    }
  }
}

SaveCrashes& CacheStore::save_crashes() { return impl_->save_crashes; }

}  // namespace rockllama
