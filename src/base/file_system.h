// Every file effect of the server's stores goes through FileSystem, so that tests can run on a file system
// that is full, fails at call k or loses what was not synced (tests/support). Thread-safe.
// Paths are UTF-8. Failures are kNotFound, kNoSpace or kIo; messages name the operation, not the path.
// Pipes and devices are not there (kNotFound), and a folder is there for `stat` and `list` alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace rockllama {

struct FileInfo {
  uint64_t inode = 0;
  uint64_t size = 0;     // bytes
  int64_t mtime_ns = 0;  // since 1970
  bool is_folder = false;
  bool operator==(const FileInfo&) const = default;
};

struct FolderEntry {
  std::string name;
  FileInfo info;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file; kTooLarge above `limit` bytes.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path, uint64_t limit) = 0;
  // Creates or truncates `path` (0600), writes all bytes and syncs them. What is there on failure is undefined:
  // write to a temporary name and rename.
  [[nodiscard]] virtual Status write_synced(const std::string& path, std::string_view bytes) = 0;
  // Creates or truncates `path` (0600) and returns it open for reading and writing: for a worker to fill.
  [[nodiscard]] virtual Result<UniqueFd> create(const std::string& path) = 0;
  // Opens for reading.
  [[nodiscard]] virtual Result<UniqueFd> open(const std::string& path) = 0;
  [[nodiscard]] virtual Status sync(const std::string& path) = 0;
  [[nodiscard]] virtual Status sync_folder(const std::string& path) = 0;
  // Atomic; replaces `to`.
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  // A missing file is not a failure, nor is a folder of that name: it stays.
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<FileInfo> stat(const std::string& path) = 0;
  // Without "." and "..", in name order.
  [[nodiscard]] virtual Result<std::vector<FolderEntry>> list(const std::string& path) = 0;
  // With parents, 0700, durable. A folder that is there already is not a failure.
  [[nodiscard]] virtual Status make_folders(const std::string& path) = 0;
  // What the device that holds `path` has left for this user, in bytes.
  [[nodiscard]] virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
  // XXH3-128 over the whole file.
  [[nodiscard]] virtual Result<Hash128> hash(const std::string& path) = 0;
  // The same for a file that is open: what was checked is what is then read, whatever happens to its name. The
  // descriptor's offset stays where it is.
  [[nodiscard]] virtual Result<FileInfo> stat(int fd) = 0;
  [[nodiscard]] virtual Result<Hash128> hash(int fd) = 0;
  // An advisory lock on `path` (created where missing, 0600) that lasts as long as the descriptor; kConflict when
  // another holds it.
  [[nodiscard]] virtual Result<UniqueFd> lock(const std::string& path) = 0;
};

// Puts `bytes` in the place of the file `path`, by way of `temporary` beside it. On failure what was there stays, and
// `temporary` is removed. The folder is the caller's to sync.
[[nodiscard]] Status replace_file(FileSystem* files, const std::string& temporary, const std::string& path,
                                  std::string_view bytes);

}  // namespace rockllama
