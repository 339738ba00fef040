#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/file_system.h"

namespace rockllama {

// The real one. Follows symbolic links; never creates files through them in the cache folder.
[[nodiscard]] std::unique_ptr<FileSystem> make_posix_file_system();

// What FileSystem says of an open descriptor, for its other implementations.
[[nodiscard]] Result<FileInfo> stat_descriptor(int fd);
[[nodiscard]] Result<Hash128> hash_descriptor(int fd);
// Fills `room` from its beginning with what the file has at `offset`; how much that was, less only at the end.
[[nodiscard]] Result<size_t> read_descriptor(int fd, uint64_t offset, std::span<char> room);
// Writes all bytes where the descriptor stands; what is there on failure is undefined.
[[nodiscard]] Status write_descriptor(int fd, std::string_view bytes);

// An advisory lock on `path` (created where missing) that lasts as long as the descriptor; kConflict when another
// process holds it.
[[nodiscard]] Result<UniqueFd> lock_file(const std::string& path);

}  // namespace rockllama
