#include "cache/archive_manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_depth.h"
#include "cache/cache_names.h"
#include "cache/metadata_fields.h"
#include "cache/state_record_json.h"

namespace rockllama {
namespace {

using Json = nlohmann::json;
using metadata_fields::get;
using metadata_fields::member;

constexpr const char* kArchiveObject = "prompt_cache.archive";
constexpr uint64_t kVersion = 1;
constexpr const char* kHashField = "manifest_hash";

tl::unexpected<Error> bad_manifest(const char* what) { return fail(ErrorCode::kInvalidArgument, what); }

Json text_json(const std::string& text) { return {{"size", text.size()}, {"hash", to_hex(hash_bytes(text))}}; }

std::string dump_manifest(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Hash128 hash_of_manifest(const Json& without_hash) { return hash_bytes(dump_manifest(without_hash, -1)); }

bool parse_text(const Json* json, TextRecord* text) {
  return json != nullptr && json->is_object() && get(*json, "size", &text->size) && get(*json, "hash", &text->hash);
}

bool parse_ancestors(const Json* list, Manifest* manifest) {
  if (list == nullptr || !list->is_array() || list->size() > kMostAncestors) return false;
  for (const Json& item : *list) {
    ArchivedAncestor ancestor;
    TextRecord text;
    if (!parse_text(&item, &text) || !get(item, "cache_name", &ancestor.name)) return false;
    manifest->archive.ancestors.push_back(std::move(ancestor));
    manifest->ancestor_texts.push_back(text);
  }
  return true;
}

bool is_whole(const StateRecord& state) {
  const bool known_engine = state.engine == "llama.cpp" || state.engine == "rkllm" || state.engine == "scripted";
  return known_engine && state.status == StateStatus::kReady && state.size > 0 && state.file == state_entry(state);
}

bool parse_archived_states(const Json* list, std::vector<StateRecord>* states) {
  if (list == nullptr || !list->is_array()) return false;
  std::set<std::string> entries;
  for (const Json& item : *list) {
    auto state = parse_state_record(item);
    if (!state || !is_whole(*state) || !entries.insert(state->file).second) return false;
    states->push_back(std::move(*state));
  }
  return true;
}

void parse_attributes(const Json& json, CacheArchive* archive) {
  get(json, "model_name", &archive->cache.model_name);
  get(json, "source", &archive->cache.source);
  get(json, "created_at", &archive->cache.created_at);
  get(json, "modified_at", &archive->cache.modified_at);
  get(json, "expires_at", &archive->cache.expires_at);
  get(json, "pinned", &archive->cache.pinned);
  get(json, "exported_at", &archive->exported_at);
}

bool usable_names(const CacheArchive& archive) {
  std::set<std::string> names{archive.cache.cache_name};
  bool usable = usable_cache_name(archive.cache.cache_name);
  for (const ArchivedAncestor& ancestor : archive.ancestors) {
    usable = usable && usable_cache_name(ancestor.name) && names.insert(ancestor.name).second;
  }
  return usable;
}

Result<Manifest> parse_known(const Json& json) {
  Manifest manifest;
  CacheArchive& archive = manifest.archive;
  get(json, "cache_name", &archive.cache.cache_name);
  parse_attributes(json, &archive);
  if (!parse_text(member(json, "text"), &manifest.text)) return bad_manifest("its manifest does not describe the text");
  archive.cache.text_hash = manifest.text.hash;
  if (!parse_ancestors(member(json, "parents"), &manifest)) return bad_manifest("its manifest has bad parents");
  if (!archive.ancestors.empty()) archive.cache.parent = archive.ancestors.front().name;
  if (!usable_names(archive)) return bad_manifest("its manifest has names that no cache can have");
  if (!parse_archived_states(member(json, "states"), &archive.cache.states)) {
    return bad_manifest("its manifest has bad states");
  }
  return manifest;
}

}  // namespace

std::string ancestor_entry(size_t index) { return "parents/" + std::to_string(index + 1); }
std::string state_entry(const StateRecord& state) { return std::string("state.") + to_string(state.format); }

std::string serialise_manifest(const CacheArchive& archive) {
  const CacheMetadata& cache = archive.cache;
  Json parents = Json::array();
  for (const ArchivedAncestor& ancestor : archive.ancestors) {
    Json parent = text_json(ancestor.text);
    parent["cache_name"] = ancestor.name;
    parents.push_back(std::move(parent));
  }
  Json states = Json::array();
  for (StateRecord state : cache.states) {
    state.file = state_entry(state);
    states.push_back(to_json(state));
  }
  Json json = {{"object", kArchiveObject},
               {"format_version", kVersion},
               {"cache_name", cache.cache_name},
               {"model_name", cache.model_name},
               {"source", cache.source},
               {"created_at", cache.created_at},
               {"modified_at", cache.modified_at},
               {"expires_at", cache.expires_at},
               {"exported_at", archive.exported_at},
               {"pinned", cache.pinned},
               {"text", text_json(cache.content.value_or(""))},
               {"parents", std::move(parents)},
               {"states", std::move(states)}};
  // As it will be read: what is not UTF-8 has become U+FFFD.
  json = Json::parse(dump_manifest(json, -1), nullptr, false);
  json[kHashField] = to_hex(hash_of_manifest(json));
  return dump_manifest(json, 2) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  if (text.size() > kLargestManifest || nested_too_deep(text)) return bad_manifest("its manifest is too large");
  Json json = Json::parse(text, nullptr, false);
  std::string object;
  if (!json.is_object() || !get(json, "object", &object) || object != kArchiveObject) {
    return bad_manifest("its manifest is not that of a prompt cache");
  }
  uint64_t version = 0;
  if (!get(json, "format_version", &version) || version != kVersion) {
    return bad_manifest("it is of another version than 1");
  }
  Hash128 hash;
  const bool has_hash = get(json, kHashField, &hash);
  json.erase(kHashField);
  if (!has_hash || hash != hash_of_manifest(json)) return bad_manifest("its manifest was changed or damaged");
  return parse_known(json);
}

}  // namespace rockllama
