// The envelope of an archive: tar in its plain POSIX form (ustar), neither compressed nor extended. The one user of
// libarchive. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama {

inline constexpr uint64_t kTarBlockBytes = 512;
inline constexpr uint64_t kTarEndBytes = 2 * kTarBlockBytes;  // of zeros

// Zeros after `size` bytes of content.
[[nodiscard]] constexpr uint64_t tar_padding(uint64_t size) {
  return (kTarBlockBytes - size % kTarBlockBytes) % kTarBlockBytes;
}
// The header of a regular file, one block. kInternal where ustar cannot say it.
[[nodiscard]] Result<std::string> tar_header(const std::string& name, uint64_t size);

// Bytes that can be read at any offset: of a file, or of a test.
struct ByteSource {
  uint64_t size = 0;
  // Fills `room` from its beginning; how much of it, 0 = the end. kIo.
  std::function<Result<size_t>(uint64_t offset, std::span<char> room)> read;
};

// Gives the `size` bytes from `offset` on, piece by piece; how many there were: fewer where the source ends before.
// Fails as the source does, and as `take` does.
[[nodiscard]] Result<uint64_t> read_pieces(const ByteSource& source, uint64_t offset, uint64_t size,
                                           const std::function<Status(std::string_view)>& take);

struct TarEntry {
  std::string name;
  uint64_t size = 0;    // bytes of content
  uint64_t offset = 0;  // of the content in the source
};

// Gives one regular file after the other. Reads headers alone, and never more than a few KiB at once.
class TarReader {
 public:
  // `source` outlives the reader.
  explicit TarReader(const ByteSource* source);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // Nothing at the end. kInvalidArgument for what is no plain tar, and for an entry that is no regular file.
  [[nodiscard]] Result<std::optional<TarEntry>> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama
