// Every file name of the cache folder is made and read here. Pure.
//
//   <name>.bin                        the text
//   <name>.json                       the metadata
//   <name>[~raw].<engine>_cache       a state: of the chat rendering, or of the raw one
//   <name>[~raw]~bad.<engine>_cache   a quarantined state
//   <name>~new.text, <name>~new.json, <name>[~raw]~new-<n>.<engine>_cache   temporary
//
// and <model>/auto/ for automatic states. <engine> is llama or rkllm. A cache's name holds no '~', so none of these can
// be another cache's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/prompt_cache.h"

namespace rockllama {

// Safe as a file name of ours, whoever made it: not empty, no '/', NUL or '~', not beginning with '.', and short
// enough.
[[nodiscard]] bool usable_cache_name(std::string_view name);

[[nodiscard]] std::string text_file_name(const std::string& name);
[[nodiscard]] std::string metadata_file_name(const std::string& name);
[[nodiscard]] std::string new_text_file_name(const std::string& name);
[[nodiscard]] std::string new_metadata_file_name(const std::string& name);
// `engine` is llama.cpp or rkllm.
[[nodiscard]] std::string state_file_name(const std::string& name, StateFormat format, const std::string& engine);
[[nodiscard]] std::string bad_state_file_name(const std::string& name, StateFormat format, const std::string& engine);
[[nodiscard]] std::string new_state_file_name(const std::string& name, StateFormat format, uint64_t number);

// In the root; it has this name only for a moment.
[[nodiscard]] std::string spool_file_name(uint64_t number);
[[nodiscard]] bool is_spool_file(std::string_view file);

enum class CacheFileKind : uint8_t { kText, kMetadata, kState, kBadState, kTemporary };

// What a file in a model's cache folder is.
struct CacheFileName {
  std::string cache;
  CacheFileKind kind = CacheFileKind::kText;
  StateFormat format = StateFormat::kChat;  // of states
  std::string engine{};                     // of states
  bool operator==(const CacheFileName&) const = default;
};

// Nothing for a name that is none of ours.
[[nodiscard]] std::optional<CacheFileName> parse_cache_file_name(std::string_view file);

// Automatic states lie in a folder of their own: <stem>.llama_cache, <stem>.json with <stem> =
// <generation>-<12 hexadecimal digits>, and as temporary files ~new-<n>.llama_cache, <stem>~new.json.
[[nodiscard]] std::string automatic_stem(uint64_t generation, const Hash128& checksum);
[[nodiscard]] std::string automatic_state_file_name(const std::string& stem);
[[nodiscard]] std::string automatic_metadata_file_name(const std::string& stem);
[[nodiscard]] std::string new_automatic_metadata_file_name(const std::string& stem);
[[nodiscard]] std::string new_automatic_state_file_name(uint64_t number);

struct AutomaticFileName {
  std::string stem;  // empty: a temporary payload
  uint64_t generation = 0;
  CacheFileKind kind = CacheFileKind::kState;  // kState, kMetadata, kTemporary
  bool operator==(const AutomaticFileName&) const = default;
};

// Nothing for a name that is none of ours.
[[nodiscard]] std::optional<AutomaticFileName> parse_automatic_file_name(std::string_view file);

}  // namespace rockllama
