#include "cache/store_opening.h"

#include <spdlog/spdlog.h>

#include <map>
#include <vector>

#include "cache/automatic_states.h"
#include "cache/cache_names.h"
#include "cache/cache_slot.h"

namespace rockllama {
namespace {

constexpr size_t kLongestFileName = 255;

// Temporary files by cache.
using Temporaries = std::map<std::string, std::vector<std::string>>;

Result<Temporaries> find_temporaries(FileSystem* files, const std::string& folder) {
  const auto entries = files->list(folder);
  if (!entries) return fail(entries.error());
  Temporaries caches;
  for (const FolderEntry& entry : *entries) {
    const auto file = entry.info.is_folder ? std::nullopt : parse_cache_file_name(entry.name);
    if (file && file->kind == CacheFileKind::kTemporary) caches[file->cache].push_back(entry.name);
  }
  return caches;
}

void settle_folder(FileSystem* files, const std::string& folder, const std::string& model) {
  const auto caches = find_temporaries(files, folder);
  if (!caches) {
    spdlog::warn("the cache folder of model {} cannot be read: {}", model, caches.error().message);
    return;
  }
  // A commit that broke off without leaving one is settled when its cache is first looked at, like the others.
  for (const auto& [name, temporaries] : *caches) {
    CacheSlot slot(files, folder, model, name);
    const Status fresh = slot.refresh();
    if (fresh) {
      slot.clean_up(temporaries);
    } else {
      spdlog::warn("cache {}/{} cannot be read: {}", model, name, fresh.error().message);
    }
  }
}

}  // namespace

bool usable_model_folder(std::string_view name) {
  return !name.empty() && name.size() <= kLongestFileName && name.front() != '.' &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

Result<std::set<std::string>> cache_names(FileSystem* files, const std::string& folder) {
  std::set<std::string> names;
  const auto entries = files->list(folder);
  if (!entries && entries.error().code == ErrorCode::kNotFound) return names;
  if (!entries) return fail(entries.error());
  for (const FolderEntry& entry : *entries) {
    const auto file = entry.info.is_folder ? std::nullopt : parse_cache_file_name(entry.name);
    if (file && file->kind != CacheFileKind::kTemporary && file->kind != CacheFileKind::kBadState) {
      names.insert(file->cache);
    }
  }
  return names;
}

Status settle_store(FileSystem* files, const std::string& root) {
  const auto entries = files->list(root);
  if (!entries) return fail(entries.error());
  for (const FolderEntry& entry : *entries) {
    if (entry.info.is_folder && usable_model_folder(entry.name)) {
      settle_folder(files, root + "/" + entry.name, entry.name);
      AutomaticStates(files, root).clean_up(entry.name);
    }
    if (is_spool_file(entry.name)) (void)files->remove(root + "/" + entry.name);
  }
  return {};
}

Result<PayloadFile> hash_payload(FileSystem* files, const std::string& path, uint64_t size) {
  if (const Status synced = files->sync(path); !synced) return fail(synced.error());
  const auto info = files->stat(path);
  if (!info) return fail(info.error());
  if (info->size != size) return fail(ErrorCode::kCorrupt, "the state was not written in full");
  const auto checksum = files->hash(path);
  if (!checksum) return fail(checksum.error());
  return PayloadFile{info->size, *checksum};
}

Result<FileInfo> check_payload(FileSystem* files, const PayloadFile& written, int fd, const FileInfo& verified) {
  const auto info = files->stat(fd);
  if (!info || *info == verified) return info;
  if (info->size != written.size) return fail(ErrorCode::kCorrupt, "the state file has another size than was written");
  const auto checksum = files->hash(fd);
  if (!checksum) return fail(checksum.error());
  if (*checksum != written.checksum) return fail(ErrorCode::kCorrupt, "the checksum of the state file is wrong");
  return info;
}

}  // namespace rockllama
