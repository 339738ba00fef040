// The metadata file of a cache, <name>.json: what it holds and how it is written and read. Pure; see
// docs/cache-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// A state file and what has to hold before it is used.
struct StateRecord {
  std::string engine;  // llama.cpp, rkllm
  StateFormat format = StateFormat::kChat;
  std::string file;         // name in the cache's folder
  uint64_t size = 0;        // bytes
  Hash128 checksum;         // XXH3-128 of the file
  uint64_t generation = 0;  // of the commit that brought it
  uint32_t tokens = 0;
  Hash128 token_hash;
  std::optional<uint32_t> counted_tokens{};  // as in StateKey
  std::optional<Hash128> anchor{};           // see anchor_of; nothing: written before there was one
  std::vector<uint32_t> cuts{};
  std::string fingerprint;  // of model and engine
  double created_at = 0;    // Unix seconds
  double modified_at = 0;
  StateStatus status = StateStatus::kReady;  // ready, stale or quarantined
  std::string reason{};                      // why it is not ready
  std::string note{};                        // what a person should know of it
  double prefill_ms = 0;
  double first_token_ms = 0;
  // Of a state over what the cache continues: hash_line of all texts that it was built over. Nothing: of its own only.
  std::optional<Hash128> line{};
  bool operator==(const StateRecord&) const = default;
};

struct CacheMetadata {
  std::string cache_name;
  std::string model_name;
  double created_at = 0;
  double modified_at = 0;
  double last_used_at = 0;
  uint64_t hits = 0;
  uint64_t content_length = 0;  // characters of the text
  std::string source;
  std::string parent{};
  bool pinned = false;
  double expires_at = 0;
  uint64_t generation = 0;             // counts commits; 0 = not written by us
  std::optional<Hash128> text_hash{};  // of the text that the states belong to
  FileInfo text_file{};                // as it was when its hash was last known to be text_hash
  std::vector<StateRecord> states{};
  // The text, for the day that somebody loses the text file. What of it is not UTF-8 is written as U+FFFD.
  std::optional<std::string> content{};
  std::string others{};  // fields that we do not know, as a JSON object; empty = none
  bool operator==(const CacheMetadata&) const = default;
};

// A file that a commit puts in the place of another.
struct Replacement {
  std::string from;                   // temporary name
  std::string to;                     // name of the text, or of a state
  std::optional<Hash128> old_hash{};  // of `to` before; nothing = there was no such file
  Hash128 new_hash;
  bool operator==(const Replacement&) const = default;
};

// A commit under way: what will hold once its files are in place.
struct PendingCommit {
  CacheMetadata next;  // `others` is not written: it stays as it is in the current metadata
  std::vector<Replacement> files{};
  bool operator==(const PendingCommit&) const = default;
};

struct MetadataFile {
  std::optional<CacheMetadata> current{};  // nothing: the cache had no metadata before the commit that is under way
  std::optional<PendingCommit> pending{};
  // A state record or an intent was not understood, or the records do not agree with their checksum. Never written.
  bool damaged = false;
  bool operator==(const MetadataFile&) const = default;
};

constexpr uint64_t kLargestMetadata = uint64_t{128}
                                      << 20;  // bytes: two texts of 16 MiB with all characters escaped fit

// Over the hashes of a line's texts, the oldest ancestor's first.
[[nodiscard]] Hash128 hash_line(const std::vector<Hash128>& texts);

// kCorrupt for what is no JSON object of an allowed depth. A field of another type than ours counts as missing; state
// records that were changed since they were written come back as stale.
[[nodiscard]] Result<MetadataFile> parse_metadata(std::string_view json);
// At least one of `current` and `pending` is there.
[[nodiscard]] std::string serialise_metadata(const MetadataFile& file);

}  // namespace rockllama
