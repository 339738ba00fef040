#include "cache/cache_names.h"

#include <algorithm>

#include "cache/cache_store.h"

namespace rockllama {
namespace {

constexpr const char* kSpoolPrefix = ".import~new-";

constexpr std::string_view kLlamaCpp = "llama.cpp";
constexpr std::string_view kRkllm = "rkllm";
constexpr std::string_view kLlamaEnding = ".llama_cache";
constexpr std::string_view kRkllmEnding = ".rkllm_cache";
constexpr std::string_view kTextEnding = ".bin";
constexpr std::string_view kMetadataEnding = ".json";
constexpr std::string_view kRawMark = "~raw";
constexpr std::string_view kBadMark = "~bad";
constexpr std::string_view kNewMark = "~new";
// A file name has at most 255 bytes; what we put behind a cache's name is shorter than 48.
constexpr size_t kLongestName = 255 - 48;
constexpr size_t kLongestCreatedName = 64;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool take_ending(std::string_view* text, std::string_view ending) {
  if (!text->ends_with(ending)) return false;
  text->remove_suffix(ending.size());
  return true;
}

std::string state_stem(const std::string& name, StateFormat format) {
  return format == StateFormat::kRaw ? name + std::string(kRawMark) : name;
}

std::string ending_of(const std::string& engine) { return std::string(engine == kRkllm ? kRkllmEnding : kLlamaEnding); }

// "~new" or "~new-12" at the end.
bool take_new_mark(std::string_view* stem) {
  const size_t at = stem->rfind(kNewMark);
  if (at == std::string_view::npos) return false;
  std::string_view number = stem->substr(at + kNewMark.size());
  if (!number.empty()) {
    if (number.front() != '-' || number.size() == 1) return false;
    number.remove_prefix(1);
    if (!std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  }
  stem->remove_suffix(stem->size() - at);
  return true;
}

std::optional<CacheFileName> parse_state(std::string_view stem, std::string_view engine) {
  CacheFileName file{.cache = {}, .kind = CacheFileKind::kState, .engine = std::string(engine)};
  if (take_new_mark(&stem)) {
    file.kind = CacheFileKind::kTemporary;
  } else if (take_ending(&stem, kBadMark)) {
    file.kind = CacheFileKind::kBadState;
  }
  if (take_ending(&stem, kRawMark)) file.format = StateFormat::kRaw;
  file.cache = stem;
  return file;
}

std::optional<CacheFileName> parse_any(std::string_view file) {
  if (take_ending(&file, kLlamaEnding)) return parse_state(file, kLlamaCpp);
  if (take_ending(&file, kRkllmEnding)) return parse_state(file, kRkllm);
  if (take_ending(&file, kTextEnding)) return CacheFileName{std::string(file), CacheFileKind::kText};
  if (take_ending(&file, "~new.text")) return CacheFileName{std::string(file), CacheFileKind::kTemporary};
  if (take_ending(&file, "~new.json")) return CacheFileName{std::string(file), CacheFileKind::kTemporary};
  if (take_ending(&file, kMetadataEnding)) return CacheFileName{std::string(file), CacheFileKind::kMetadata};
  return std::nullopt;
}

constexpr size_t kStemDigits = 12;
constexpr size_t kLongestGeneration = 19;  // digits of what a uint64_t holds for sure

// "<generation>-<12 hexadecimal digits>"
std::optional<uint64_t> parse_stem(std::string_view stem) {
  const size_t dash = stem.find('-');
  if (dash == 0 || dash > kLongestGeneration || stem.size() != dash + 1 + kStemDigits) return std::nullopt;
  const auto all = [&](std::string_view part, std::string_view allowed) {
    return part.find_first_not_of(allowed) == std::string_view::npos;
  };
  const std::string_view number = stem.substr(0, dash);
  if (!all(number, "0123456789") || !all(stem.substr(dash + 1), "0123456789abcdef")) return std::nullopt;
  uint64_t generation = 0;
  for (const char digit : number) generation = generation * 10 + static_cast<uint64_t>(digit - '0');
  return generation;
}

}  // namespace

bool valid_cache_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestCreatedName || !is_letter_or_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool usable_cache_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         name.find_first_of(std::string_view("/~\0", 3)) == std::string_view::npos;
}

std::string text_file_name(const std::string& name) { return name + ".bin"; }
std::string metadata_file_name(const std::string& name) { return name + ".json"; }
std::string new_text_file_name(const std::string& name) { return name + "~new.text"; }
std::string new_metadata_file_name(const std::string& name) { return name + "~new.json"; }

std::string state_file_name(const std::string& name, StateFormat format, const std::string& engine) {
  return state_stem(name, format) + ending_of(engine);
}

std::string bad_state_file_name(const std::string& name, StateFormat format, const std::string& engine) {
  return state_stem(name, format) + "~bad" + ending_of(engine);
}

std::string new_state_file_name(const std::string& name, StateFormat format, uint64_t number) {
  return state_stem(name, format) + "~new-" + std::to_string(number) + ".llama_cache";
}

std::string automatic_stem(uint64_t generation, const Hash128& checksum) {
  return std::to_string(generation) + "-" + to_hex(checksum).substr(0, kStemDigits);
}
std::string automatic_state_file_name(const std::string& stem) { return stem + std::string(kLlamaEnding); }
std::string automatic_metadata_file_name(const std::string& stem) { return stem + std::string(kMetadataEnding); }
std::string new_automatic_metadata_file_name(const std::string& stem) { return stem + "~new.json"; }
std::string new_automatic_state_file_name(uint64_t number) {
  return new_state_file_name("", StateFormat::kChat, number);
}

std::optional<AutomaticFileName> parse_automatic_file_name(std::string_view file) {
  AutomaticFileName name;
  if (take_ending(&file, kLlamaEnding)) {
    if (take_new_mark(&file)) {
      if (!file.empty()) return std::nullopt;
      return AutomaticFileName{.stem = {}, .kind = CacheFileKind::kTemporary};
    }
  } else if (take_ending(&file, "~new.json")) {
    name.kind = CacheFileKind::kTemporary;
  } else if (take_ending(&file, kMetadataEnding)) {
    name.kind = CacheFileKind::kMetadata;
  } else {
    return std::nullopt;
  }
  const auto generation = parse_stem(file);
  if (!generation) return std::nullopt;
  name.stem = file;
  name.generation = *generation;
  return name;
}

std::string spool_file_name(uint64_t number) { return kSpoolPrefix + std::to_string(number); }
bool is_spool_file(std::string_view file) { return file.starts_with(kSpoolPrefix); }

std::optional<CacheFileName> parse_cache_file_name(std::string_view file) {
  auto parsed = parse_any(file);
  if (parsed && !usable_cache_name(parsed->cache)) return std::nullopt;
  return parsed;
}

}  // namespace rockllama
