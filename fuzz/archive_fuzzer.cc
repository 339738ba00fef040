// Reads an archive from arbitrary bytes; whatever reads must have its manifest written and read back as it is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cache/archive.h"
#include "cache/archive_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const rockllama::ByteSource source{size, [bytes](uint64_t offset, std::span<char> room) -> rockllama::Result<size_t> {
                                       if (offset >= bytes.size()) return size_t{0};
                                       const size_t count = std::min<uint64_t>(room.size(), bytes.size() - offset);
                                       std::memcpy(room.data(), bytes.data() + offset, count);
                                       return count;
                                     }};
  // The manifest alone too: few inputs get past the headers around it.
  (void)rockllama::parse_manifest(bytes);
  const auto open = rockllama::read_archive(source);
  if (!open) return 0;
  const auto again = rockllama::parse_manifest(rockllama::serialise_manifest(open->archive));
  if (!again || again->archive.cache.states != open->archive.cache.states) std::abort();
  return 0;
}
