#include "models/file_hash_memo.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/memory_file_system.h"

namespace rockllama {
namespace {

// Replaces the file once, when it has been read.
class ReplacingFileSystem : public FileSystem {
 public:
  Result<Hash128> hash(const std::string& path) override {
    auto result = memory.hash(path);
    if (!std::exchange(replaced_, true)) memory.put(path, "other weights");
    return result;
  }
  Result<std::string> read(const std::string& path, uint64_t limit) override { return memory.read(path, limit); }
  Status write_synced(const std::string& path, std::string_view bytes) override {
    return memory.write_synced(path, bytes);
  }
  Status rename(const std::string& from, const std::string& to) override { return memory.rename(from, to); }
  Result<FileInfo> stat(const std::string& path) override { return memory.stat(path); }

  Result<UniqueFd> create(const std::string&) override { return unused(); }
  Result<UniqueFd> open(const std::string&) override { return unused(); }
  Status sync(const std::string&) override { return unused(); }
  Status sync_folder(const std::string&) override { return unused(); }
  Status remove(const std::string&) override { return unused(); }
  Result<std::vector<FolderEntry>> list(const std::string&) override { return unused(); }
  Status make_folders(const std::string&) override { return unused(); }
  Result<uint64_t> free_bytes(const std::string&) override { return unused(); }
  Result<FileInfo> stat(int) override { return unused(); }
  Result<Hash128> hash(int) override { return unused(); }
  Result<UniqueFd> lock(const std::string&) override { return unused(); }

  MemoryFileSystem memory;

 private:
  static tl::unexpected<Error> unused() { return fail(ErrorCode::kUnsupported, "not part of this test"); }
  bool replaced_ = false;
};

TEST(FileHashMemo, KeepsNoHashOfAFileThatIsReplacedWhileItIsRead) {
  ReplacingFileSystem files;
  files.memory.put("m.gguf", "weights");
  FileHashMemo memo(&files, "memo.json");
  const auto hash = memo.hash("m.gguf");
  ASSERT_FALSE(hash);
  EXPECT_EQ(hash.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(*memo.hash("m.gguf"), to_hex(hash_bytes("other weights")));
}

}  // namespace
}  // namespace rockllama
