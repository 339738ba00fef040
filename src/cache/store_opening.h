// What the store does to a whole folder: which caches are in it, and putting in order what a crash left.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "cache/cache_metadata.h"

namespace rockllama {

// Safe as the name of a model's folder: not empty, no '/' or NUL, not beginning with '.'.
[[nodiscard]] bool usable_model_folder(std::string_view name);

// Names of the caches that have a file in `folder`; none where there is no such folder.
[[nodiscard]] Result<std::set<std::string>> cache_names(FileSystem* files, const std::string& folder);

// Finishes or undoes commits that left temporary files, and removes these. Reads names only of all other caches. A
// cache that cannot be put in order is left as it is, with a log line. kIo when `root` cannot be read.
[[nodiscard]] Status settle_store(FileSystem* files, const std::string& root);

struct PayloadFile {
  uint64_t size = 0;  // bytes
  Hash128 checksum;
};
// Syncs and hashes a payload that a worker wrote; kCorrupt where it does not have the size that the worker said.
[[nodiscard]] Result<PayloadFile> hash_payload(FileSystem* files, const std::string& path, uint64_t size);
// What an open state file looks like. Size and checksum are checked unless it looks as it did when they last were
// (`verified`); kCorrupt where they are not what was written.
[[nodiscard]] Result<FileInfo> check_payload(FileSystem* files, const PayloadFile& written, int fd,
                                             const FileInfo& verified);

}  // namespace rockllama
