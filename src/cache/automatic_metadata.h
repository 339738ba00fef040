// The metadata of an automatic state: what it holds and how it is written and read. Pure; see docs/cache-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cache/store_types.h"

namespace rockllama {

struct AutomaticRecord {
  KnownState known;  // without name and id
  std::string engine;
  std::string fingerprint;
  uint64_t size = 0;  // bytes of the payload
  Hash128 checksum;   // XXH3-128 of the payload
  double created_at = 0;
  double last_used_at = 0;
  uint64_t hits = 0;
  double value = 0;  // when it was created
  bool operator==(const AutomaticRecord&) const = default;
};

constexpr uint64_t kLargestAutomaticMetadata = uint64_t{4} << 20;  // bytes

[[nodiscard]] std::string serialise_automatic(const AutomaticRecord& record);
// kCorrupt for every text that is not as serialise_automatic wrote it: a bit that flipped makes it worthless.
[[nodiscard]] Result<AutomaticRecord> parse_automatic(std::string_view json);

// What keeping it is worth.
[[nodiscard]] double value_of(const AutomaticRecord& record, double now);

}  // namespace rockllama
