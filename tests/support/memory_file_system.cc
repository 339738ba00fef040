#include "tests/support/memory_file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/posix_file_system.h"

namespace rockllama {
namespace {

auto not_found() { return fail(ErrorCode::kNotFound, "cannot open a file: no such file"); }

// "" is the folder of everything that has no other.
std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The test cannot go on without memory or descriptors.
void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

struct MemoryFileSystem::File {
  UniqueFd fd{::memfd_create("file", MFD_CLOEXEC)};
  std::string durable;

  // With an offset and locks of its own.
  [[nodiscard]] UniqueFd opened(int flags) const {
    return UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), flags | O_CLOEXEC));
  }
  [[nodiscard]] std::string bytes() const {
    std::string all(stat_descriptor(fd.get())->size, '\0');
    require(::pread(fd.get(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    return all;
  }
};

MemoryFileSystem::MemoryFileSystem() { folders_.try_emplace(""); }
MemoryFileSystem::~MemoryFileSystem() = default;

Result<MemoryFileSystem::Place> MemoryFileSystem::place(const std::string& path) {
  const auto folder = folders_.find(parent_of(path));
  if (folder == folders_.end()) return not_found();
  return Place{&folder->second, path.substr(path.find_last_of('/') + 1)};
}

Result<std::shared_ptr<MemoryFileSystem::File>> MemoryFileSystem::find(const std::string& path) {
  const auto at = place(path);
  if (!at) return fail(at.error());
  const auto found = at->folder->live.find(at->name);
  if (found == at->folder->live.end()) return not_found();
  return found->second;
}

Result<std::shared_ptr<MemoryFileSystem::File>> MemoryFileSystem::find_or_create(const std::string& path) {
  const auto at = place(path);
  if (!at) return fail(at.error());
  auto& file = at->folder->live[at->name];
  if (!file) {
    file = std::make_shared<File>();
    at->folder->unsynced.push_back({"", at->name, file});
  }
  write(file.get(), "");
  return file;
}

void MemoryFileSystem::write(File* file, std::string_view bytes) {
  require(::ftruncate(file->fd.get(), 0) == 0);
  require(::pwrite(file->fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  const timespec time{++clock_, 0};
  const timespec times[2] = {time, time};
  require(::futimens(file->fd.get(), times) == 0);
}

void MemoryFileSystem::apply(const NameChange& change, Names* names) {
  std::shared_ptr<File> file = change.file;
  if (!change.from.empty()) {
    const auto from = names->find(change.from);
    // A rename moves the file that it was called for; another one of that name is from an earlier time.
    if (from == names->end() || (file && from->second != file)) return;
    file = from->second;
    names->erase(from);
  }
  if (!change.to.empty()) (*names)[change.to] = file;
}

Result<std::string> MemoryFileSystem::read(const std::string& path, uint64_t limit) {
  const std::lock_guard lock(mutex_);
  const auto file = find(path);
  if (!file) return fail(file.error());
  std::string bytes = (*file)->bytes();
  if (bytes.size() > limit) return fail(ErrorCode::kTooLarge, "the file is larger than is allowed for its kind");
  return bytes;
}

Status MemoryFileSystem::write_synced(const std::string& path, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const auto file = find_or_create(path);
  if (!file) return fail(file.error());
  write(file->get(), bytes);
  (*file)->durable = bytes;
  return {};
}

Result<UniqueFd> MemoryFileSystem::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto file = find_or_create(path);
  if (!file) return fail(file.error());
  return (*file)->opened(O_RDWR);
}

Result<UniqueFd> MemoryFileSystem::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto file = find(path);
  if (!file) return fail(file.error());
  return (*file)->opened(O_RDONLY);
}

Status MemoryFileSystem::sync(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto file = find(path);
  if (!file) return fail(file.error());
  (*file)->durable = (*file)->bytes();
  return {};
}

Status MemoryFileSystem::sync_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto folder = folders_.find(path);
  if (folder == folders_.end()) return not_found();
  folder->second.durable = folder->second.live;
  folder->second.unsynced.clear();
  return {};
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto at = place(from);
  if (!at || !at->folder->live.contains(at->name)) return not_found();
  require(parent_of(from) == parent_of(to));
  const NameChange change{at->name, to.substr(to.find_last_of('/') + 1), at->folder->live[at->name]};
  apply(change, &at->folder->live);
  at->folder->unsynced.push_back(change);
  return {};
}

Status MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = place(path);
  if (!at || !at->folder->live.contains(at->name)) return {};
  const NameChange change{at->name, "", nullptr};
  apply(change, &at->folder->live);
  at->folder->unsynced.push_back(change);
  return {};
}

Result<FileInfo> MemoryFileSystem::stat(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (folders_.contains(path)) return FileInfo{.is_folder = true};
  const auto file = find(path);
  if (!file) return fail(file.error());
  return stat_descriptor((*file)->fd.get());
}

Result<std::vector<FolderEntry>> MemoryFileSystem::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto folder = folders_.find(path);
  if (folder == folders_.end()) return not_found();
  std::map<std::string, FileInfo> found;
  for (const auto& [name, file] : folder->second.live) found[name] = *stat_descriptor(file->fd.get());
  for (const auto& [name, inner] : folders_) {
    if (!name.empty() && parent_of(name) == path)
      found[name.substr(name.find_last_of('/') + 1)] = FileInfo{.is_folder = true};
  }
  std::vector<FolderEntry> entries;
  for (const auto& [name, info] : found) entries.push_back({name, info});
  if (backwards_) std::reverse(entries.begin(), entries.end());
  return entries;
}

Status MemoryFileSystem::make_folders(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (std::string folder = path; !folder.empty() && folder != "."; folder = parent_of(folder))
    folders_.try_emplace(folder);
  return {};
}

Result<Hash128> MemoryFileSystem::hash(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto file = find(path);
  if (!file) return fail(file.error());
  return hash_descriptor((*file)->fd.get());
}

Result<uint64_t> MemoryFileSystem::free_bytes(const std::string&) {
  const std::lock_guard lock(mutex_);
  uint64_t taken = 0;
  for (const auto& [path, folder] : folders_) {
    for (const auto& [name, file] : folder.live) taken += stat_descriptor(file->fd.get())->size;
  }
  return device_bytes_ - std::min(taken, device_bytes_);
}

void MemoryFileSystem::set_device_bytes(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  device_bytes_ = bytes;
}

Result<FileInfo> MemoryFileSystem::stat(int fd) { return stat_descriptor(fd); }
Result<Hash128> MemoryFileSystem::hash(int fd) { return hash_descriptor(fd); }

Result<UniqueFd> MemoryFileSystem::lock(const std::string& path) {
  const std::lock_guard guard(mutex_);
  auto file = find(path);
  if (!file) file = find_or_create(path);
  if (!file) return fail(file.error());
  UniqueFd fd = (*file)->opened(O_RDWR);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  return fail(ErrorCode::kConflict, "another process uses this folder");
}

void MemoryFileSystem::crash(uint64_t kept_names, bool kept_bytes) {
  const std::lock_guard lock(mutex_);
  for (auto& [path, folder] : folders_) {
    for (size_t i = 0; i < folder.unsynced.size(); ++i) {
      if ((kept_names >> (i % 64) & 1) != 0) apply(folder.unsynced[i], &folder.durable);
    }
    folder.unsynced.clear();
    folder.live = folder.durable;
    for (auto& [name, file] : folder.live) {
      if (!kept_bytes && file->bytes() != file->durable) write(file.get(), file->durable);
      file->durable = file->bytes();
    }
  }
}

void MemoryFileSystem::put(const std::string& path, std::string_view bytes) {
  require(make_folders(parent_of(path)).has_value());
  require(write_synced(path, bytes).has_value());
  require(sync_folder(parent_of(path)).has_value());
}

std::vector<std::string> MemoryFileSystem::names(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  const auto found = folders_.find(folder);
  if (found == folders_.end()) return all;
  for (const auto& [name, file] : found->second.live) all.push_back(name);
  return all;
}

}  // namespace rockllama
