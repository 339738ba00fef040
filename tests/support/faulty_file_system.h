// Passes every call on to another file system, counts them, and lets chosen ones fail: a disk that fills up or breaks
// at call k. A write that fails has written the first half. Thread-safe as long as the rules are set beforehand.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/file_system.h"

namespace rockllama {

class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem* inner) : inner_(inner) {}

  // Call number `k`, counted from 0, fails with `code`.
  void fail_call(uint64_t k, ErrorCode code) { fail_calls(k, k, code); }
  // That call and each one after it.
  void fail_from(uint64_t k, ErrorCode code) { fail_calls(k, std::numeric_limits<uint64_t>::max(), code); }
  // No call fails any more.
  void heal() { fail_calls(std::numeric_limits<uint64_t>::max(), 0, ErrorCode::kIo); }
  [[nodiscard]] uint64_t calls() const { return calls_; }

  Result<std::string> read(const std::string& path, uint64_t limit) override;
  Status write_synced(const std::string& path, std::string_view bytes) override;
  Result<UniqueFd> create(const std::string& path) override;
  Result<UniqueFd> open(const std::string& path) override;
  Status sync(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<FolderEntry>> list(const std::string& path) override;
  Status make_folders(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;
  Result<Hash128> hash(const std::string& path) override;
  Result<FileInfo> stat(int fd) override;
  Result<Hash128> hash(int fd) override;
  Result<UniqueFd> lock(const std::string& path) override;

 private:
  void fail_calls(uint64_t first, uint64_t last, ErrorCode code);
  [[nodiscard]] Status next_call();

  FileSystem* inner_;
  std::atomic<uint64_t> calls_ = 0;
  uint64_t first_ = std::numeric_limits<uint64_t>::max();
  uint64_t last_ = 0;
  ErrorCode code_ = ErrorCode::kIo;
};

}  // namespace rockllama
