// A cache in one file, to be taken to another machine: a plain tar with a manifest, the texts and the states. Pure but
// for the files that it is given; docs/cache-format.md has the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cache/cache_family.h"
#include "cache/cache_metadata.h"
#include "cache/tar.h"

namespace rockllama {

inline constexpr uint64_t kLargestManifest = uint64_t{1} << 20;      // bytes
inline constexpr uint64_t kLargestArchiveText = uint64_t{16} << 20;  // bytes, of all texts together

// A cache that the archived one continues: its text alone.
struct ArchivedAncestor {
  std::string name;
  std::string text;
  bool operator==(const ArchivedAncestor&) const = default;
};

struct CacheArchive {
  // Of its fields these are kept: the names, the times, source, pinned, expires_at, the text as `content`, and the
  // states, which are ready ones, at most one of a format.
  CacheMetadata cache;
  std::vector<ArchivedAncestor> ancestors{};  // the parent first
  double exported_at = 0;                     // Unix seconds
};

// The bytes of an archive, in pieces. Owns the state files. One thread.
class ArchiveStream {
 public:
  // `state_files` are open for reading, one for each state. kTooLarge, kInvalidArgument for what does not go into an
  // archive.
  [[nodiscard]] static Result<ArchiveStream> make(const CacheArchive& archive, std::vector<UniqueFd> state_files);
  // Of the whole archive, in bytes.
  [[nodiscard]] uint64_t size() const { return size_; }
  // The next bytes, at most `limit`; none at the end. kCorrupt where a file is shorter than its record says.
  [[nodiscard]] Result<std::string> next(size_t limit);

 private:
  struct Part {
    std::string bytes{};
    UniqueFd file{};  // else
    uint64_t size = 0;
  };
  void add(std::string bytes);
  void add_padding(uint64_t size);
  [[nodiscard]] Status add_entry(const std::string& name, std::string content);
  [[nodiscard]] Status add_state(const StateRecord& record, UniqueFd file);

  std::vector<Part> parts_;
  uint64_t size_ = 0;
  size_t part_ = 0;
  uint64_t done_ = 0;  // bytes of that part
};

// An archive that was read: all checksums are right. The payloads stay where they are.
struct OpenArchive {
  CacheArchive archive;
  std::vector<uint64_t> payloads;  // where in the source the payload of each state begins
};
// Takes any bytes. kInvalidArgument with what is wrong; kIo.
[[nodiscard]] Result<OpenArchive> read_archive(const ByteSource& source);

}  // namespace rockllama
