// The first entry of an archive: what it holds, as JSON. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/archive.h"

namespace rockllama {

inline constexpr const char* kManifestEntry = "manifest.json";
inline constexpr const char* kTextEntry = "text";
[[nodiscard]] std::string ancestor_entry(size_t index);           // parents/1 is the parent
[[nodiscard]] std::string state_entry(const StateRecord& state);  // state.chat, state.raw

// Size and checksum of a text that follows.
struct TextRecord {
  uint64_t size = 0;
  Hash128 hash;
};

struct Manifest {
  CacheArchive archive;  // without the texts
  TextRecord text;
  std::vector<TextRecord> ancestor_texts;
};

[[nodiscard]] std::string serialise_manifest(const CacheArchive& archive);
// kInvalidArgument with what is wrong.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view json);

}  // namespace rockllama
