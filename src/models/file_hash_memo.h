// Hashes of large files, kept between runs by path, inode, size and mtime: hashing a model of some GB from slow flash
// takes a minute, and its bytes do not change. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/file_system.h"

namespace rockllama {

class FileHashMemo {
 public:
  // `memo_file` may be missing or damaged; then hashes are made anew. `files` outlives this.
  FileHashMemo(FileSystem* files, std::string memo_file);
  // XXH3-128 of the file in hex. Reads it where it is not known; kUnavailable when the file changes meanwhile, else
  // fails as the file system does.
  [[nodiscard]] Result<std::string> hash(const std::string& path);

 private:
  struct Known {
    FileInfo info;
    std::string hash;
  };
  void load();
  void save();

  FileSystem* files_;
  const std::string memo_file_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace rockllama
