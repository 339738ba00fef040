// Typed fields of a JSON object, for the reader of the metadata. Pure. A field that is missing or of another type
// leaves the value as it is and returns false.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cache/cache_metadata.h"

namespace rockllama::metadata_fields {

inline const nlohmann::json* member(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

inline bool get(const nlohmann::json& object, const char* key, std::string* value) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_string()) return false;
  *value = json->get_ref<const std::string&>();
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, double* value) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_number()) return false;
  *value = json->get<double>();
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, bool* value) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_boolean()) return false;
  *value = json->get<bool>();
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, uint64_t* value) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_number_unsigned()) return false;
  *value = json->get<uint64_t>();
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, uint32_t* value) {
  uint64_t wide = 0;
  if (!get(object, key, &wide) || wide > std::numeric_limits<uint32_t>::max()) return false;
  *value = static_cast<uint32_t>(wide);
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, Hash128* value) {
  std::string hex;
  const auto hash = get(object, key, &hex) ? parse_hash(hex) : std::nullopt;
  if (hash) *value = *hash;
  return hash.has_value();
}

inline void get(const nlohmann::json& object, const char* key, std::optional<Hash128>* value) {
  Hash128 hash;
  if (get(object, key, &hash)) *value = hash;
}

inline bool get(const nlohmann::json& object, const char* key, std::vector<uint32_t>* values) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_array()) return false;
  for (const nlohmann::json& item : *json) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() > std::numeric_limits<uint32_t>::max()) return false;
    values->push_back(item.get<uint32_t>());
  }
  return true;
}

inline bool get(const nlohmann::json& object, const char* key, StateFormat* value) {
  std::string text;
  if (!get(object, key, &text)) return false;
  for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
    if (text != to_string(format)) continue;
    *value = format;
    return true;
  }
  return false;
}

inline bool get(const nlohmann::json& object, const char* key, StateStatus* value) {
  std::string text;
  if (!get(object, key, &text)) return false;
  for (const StateStatus status : {StateStatus::kReady, StateStatus::kStale, StateStatus::kQuarantined}) {
    if (text != to_string(status)) continue;
    *value = status;
    return true;
  }
  return false;
}

// Of what decides when a cache is removed and what it continues.
inline Hash128 hash_attributes(const CacheMetadata& metadata) {
  const nlohmann::json fields = {metadata.parent, metadata.pinned, metadata.expires_at};
  return hash_bytes(fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

inline void get(const nlohmann::json& object, const char* key, FileInfo* info) {
  const nlohmann::json* json = member(object, key);
  if (json == nullptr || !json->is_object()) return;
  get(*json, "size", &info->size);
  get(*json, "inode", &info->inode);
  const nlohmann::json* mtime = member(*json, "mtime_ns");
  if (mtime != nullptr && mtime->is_number_integer()) info->mtime_ns = mtime->get<int64_t>();
}

}  // namespace rockllama::metadata_fields
