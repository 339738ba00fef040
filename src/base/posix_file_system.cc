#include "base/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace rockllama {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

ErrorCode code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

tl::unexpected<Error> system_error(const char* operation, int number = errno) {
  return fail(code_of(number), std::string("cannot ") + operation + ": " + std::strerror(number));
}

template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

FileInfo info_of(const struct stat& from) {
  return {.inode = from.st_ino,
          .size = static_cast<uint64_t>(from.st_size),
          .mtime_ns = int64_t{from.st_mtim.tv_sec} * 1'000'000'000 + from.st_mtim.tv_nsec,
          .is_folder = S_ISDIR(from.st_mode)};
}

// Opens a regular file; where something else has the name, no file has it. O_NONBLOCK, so that a pipe of that name
// cannot hold up a thread.
Result<UniqueFd> open_file(const std::string& path, int flags, const char* operation) {
  UniqueFd fd(retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600); }));
  if (!fd.valid()) return system_error(operation);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(operation);
  if (S_ISREG(info.st_mode)) return fd;
  const ErrorCode code = (flags & O_CREAT) != 0 ? ErrorCode::kIo : ErrorCode::kNotFound;
  return fail(code, std::string("cannot ") + operation + ": not a regular file");
}

// The name must not be a symbolic link: who can write to the folder must not choose what else is overwritten.
Result<UniqueFd> create_file(const std::string& path) {
  return open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, "create a file");
}

Status sync_descriptor(int fd) {
  if (retried([&] { return ::fsync(fd); }) != 0) return system_error("sync");
  return {};
}

Status sync_path(const std::string& path, int flags) {
  const UniqueFd fd(retried([&] { return ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!fd.valid()) return system_error("open for a sync");
  return sync_descriptor(fd.get());
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status make_folder(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return fail(ErrorCode::kIo, "cannot make a folder: a file of that name is in the way");
  }
  const std::string parent = parent_of(path);
  if (parent != path) {
    if (const Status made = make_folder(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("make a folder");
  return sync_path(parent, O_DIRECTORY);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::string> read(const std::string& path, uint64_t limit) override {
    const auto fd = open_file(path, O_RDONLY, "open a file");
    if (!fd) return fail(fd.error());
    std::string bytes;
    for (;;) {
      const size_t had = bytes.size();
      bytes.resize(had + std::min<uint64_t>(kPieceBytes - 1, limit - had) + 1);
      const ssize_t got = retried([&] { return ::read(fd->get(), bytes.data() + had, bytes.size() - had); });
      if (got < 0) return system_error("read a file");
      bytes.resize(had + static_cast<size_t>(got));
      if (got == 0) return bytes;
      if (bytes.size() > limit) return fail(ErrorCode::kTooLarge, "the file is larger than is allowed for its kind");
    }
  }

  Status write_synced(const std::string& path, std::string_view bytes) override {
    const auto fd = create_file(path);
    if (!fd) return fail(fd.error());
    if (const Status written = write_descriptor(fd->get(), bytes); !written) return written;
    return sync_descriptor(fd->get());
  }

  Result<UniqueFd> create(const std::string& path) override { return create_file(path); }
  Result<UniqueFd> open(const std::string& path) override { return open_file(path, O_RDONLY, "open a file"); }
  Status sync(const std::string& path) override { return sync_path(path, 0); }
  Status sync_folder(const std::string& path) override { return sync_path(path, O_DIRECTORY); }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename a file");
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != EISDIR) return system_error("remove a file");
    return {};
  }

  Result<FileInfo> stat(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return system_error("look at a file");
    if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) return info_of(info);
    return fail(ErrorCode::kNotFound, "cannot look at a file: not a regular file");
  }

  Result<std::vector<FolderEntry>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder) return system_error("open a folder");
    std::vector<FolderEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(folder.get());
      if (found == nullptr) break;
      std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      struct stat info {};
      // What vanished meanwhile, is a link to nothing, a pipe or a device, is not there.
      if (::fstatat(::dirfd(folder.get()), name.c_str(), &info, 0) != 0) continue;
      if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) continue;
      entries.push_back({std::move(name), info_of(info)});
    }
    if (errno != 0) return system_error("read a folder");
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  }

  Status make_folders(const std::string& path) override { return make_folder(path); }

  Result<uint64_t> free_bytes(const std::string& path) override {
    struct statvfs space {};
    if (::statvfs(path.c_str(), &space) != 0) return system_error("look at the free space");
    return uint64_t{space.f_bavail} * space.f_frsize;
  }

  Result<Hash128> hash(const std::string& path) override {
    const auto fd = open_file(path, O_RDONLY, "open a file");
    if (!fd) return fail(fd.error());
    return hash_descriptor(fd->get());
  }
  Result<FileInfo> stat(int fd) override { return stat_descriptor(fd); }
  Result<Hash128> hash(int fd) override { return hash_descriptor(fd); }
  Result<UniqueFd> lock(const std::string& path) override { return lock_file(path); }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() { return std::make_unique<PosixFileSystem>(); }

Result<FileInfo> stat_descriptor(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error("look at a file");
  return info_of(info);
}

// Reads instead of mapping: a file that somebody truncates meanwhile must be an error and no SIGBUS.
Result<Hash128> hash_descriptor(int fd) {
  Hasher hasher;
  std::vector<char> piece(kPieceBytes);
  off_t offset = 0;
  for (;;) {
    const ssize_t got = retried([&] { return ::pread(fd, piece.data(), piece.size(), offset); });
    if (got < 0) return system_error("read a file");
    if (got == 0) return hasher.digest();
    hasher.update({piece.data(), static_cast<size_t>(got)});
    offset += got;
  }
}

Result<size_t> read_descriptor(int fd, uint64_t offset, std::span<char> room) {
  size_t done = 0;
  while (done < room.size()) {
    const auto place = static_cast<off_t>(offset + done);
    const ssize_t got = retried([&] { return ::pread(fd, room.data() + done, room.size() - done, place); });
    if (got < 0) return system_error("read a file");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Status write_descriptor(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = retried([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written < 0) return system_error("write a file");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<UniqueFd> lock_file(const std::string& path) {
  auto fd = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, "open a lock file");
  if (!fd) return fd;
  if (retried([&] { return ::flock(fd->get(), LOCK_EX | LOCK_NB); }) == 0) return fd;
  if (errno == EWOULDBLOCK) return fail(ErrorCode::kConflict, "another process uses this folder");
  return system_error("lock a file");
}

}  // namespace rockllama
