// Reads cache metadata from arbitrary bytes; whatever parses must be written and read back as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cache/cache_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto file = rockllama::parse_metadata({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  file->damaged = false;
  const auto again = rockllama::parse_metadata(rockllama::serialise_metadata(*file));
  if (!again || *again != *file) std::abort();
  return 0;
}
