#include <array>
#include <nlohmann/json.hpp>

#include "base/json_depth.h"
#include "cache/cache_metadata.h"
#include "cache/metadata_fields.h"
#include "cache/state_record_json.h"

namespace rockllama {
namespace {

using Json = nlohmann::json;
using metadata_fields::get;
using metadata_fields::member;

constexpr std::array kFields = {"cache_name",  "model_name",     "created_at", "modified_at",    "last_used_at",
                                "hits",        "content_length", "source",     "parent",         "pinned",
                                "expires_at",  "generation",     "text_hash",  "text_file",      "states",
                                "states_hash", "content",        "intent",     "format_version", "attributes_hash"};

// A bit that flipped in a token count or a cut would make a state that is whole look like another one.
void parse_states(const Json& object, std::vector<StateRecord>* states, bool* damaged) {
  const Json* list = member(object, "states");
  if (list == nullptr) return;
  std::string text_hash;
  get(object, "text_hash", &text_hash);
  Hash128 written;
  const bool intact =
      list->is_array() && get(object, "states_hash", &written) && written == hash_bytes(text_hash + list->dump());
  if (!intact && !(list->is_array() && list->empty())) *damaged = true;
  if (!list->is_array()) return;
  for (const Json& item : *list) {
    auto state = parse_state_record(item);
    if (!state) {
      *damaged = true;
      continue;
    }
    if (!intact && state->status == StateStatus::kReady) {
      state->status = StateStatus::kStale;
      state->reason = "its entry in the metadata was changed";
    }
    states->push_back(std::move(*state));
  }
}

// A bit that flipped in a date must not end a cache.
void check_attributes(const Json& json, CacheMetadata* metadata, bool* damaged) {
  std::optional<Hash128> written;
  get(json, "attributes_hash", &written);
  if (!written || *written == metadata_fields::hash_attributes(*metadata)) return;
  metadata->expires_at = 0;
  *damaged = true;
}

CacheMetadata parse_fields(const Json& json, bool* damaged) {
  CacheMetadata metadata;
  get(json, "cache_name", &metadata.cache_name);
  get(json, "model_name", &metadata.model_name);
  get(json, "created_at", &metadata.created_at);
  get(json, "modified_at", &metadata.modified_at);
  get(json, "last_used_at", &metadata.last_used_at);
  get(json, "hits", &metadata.hits);
  get(json, "content_length", &metadata.content_length);
  get(json, "source", &metadata.source);
  get(json, "parent", &metadata.parent);
  get(json, "pinned", &metadata.pinned);
  get(json, "expires_at", &metadata.expires_at);
  check_attributes(json, &metadata, damaged);
  get(json, "generation", &metadata.generation);
  get(json, "text_hash", &metadata.text_hash);
  get(json, "text_file", &metadata.text_file);
  parse_states(json, &metadata.states, damaged);
  std::string content;
  if (get(json, "content", &content)) metadata.content = std::move(content);
  return metadata;
}

std::string unknown_fields(Json json) {
  for (const char* field : kFields) json.erase(field);
  return json.empty() ? "" : json.dump();
}

std::optional<PendingCommit> parse_intent(const Json& intent, bool* damaged) {
  const Json* next = member(intent, "next");
  const Json* files = member(intent, "files");
  if (next == nullptr || !next->is_object() || files == nullptr || !files->is_array()) return std::nullopt;
  PendingCommit pending{parse_fields(*next, damaged)};
  for (const Json& item : *files) {
    Replacement file;
    if (!item.is_object() || !get(item, "from", &file.from) || !get(item, "to", &file.to) ||
        !get(item, "new_hash", &file.new_hash)) {
      return std::nullopt;
    }
    get(item, "old_hash", &file.old_hash);
    pending.files.push_back(std::move(file));
  }
  return pending;
}

}  // namespace

Result<MetadataFile> parse_metadata(std::string_view text) {
  if (nested_too_deep(text)) return fail(ErrorCode::kCorrupt, "the metadata is nested too deeply");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::kCorrupt, "the metadata is not a JSON object");
  MetadataFile file;
  bool only_pending = false;
  if (const Json* intent = member(json, "intent"); intent != nullptr && intent->is_object()) {
    file.pending = parse_intent(*intent, &file.damaged);
    if (!file.pending) file.damaged = true;
    get(*intent, "creates", &only_pending);
  }
  if (file.pending && only_pending) return file;
  file.current = parse_fields(json, &file.damaged);
  file.current->others = unknown_fields(json);
  return file;
}

}  // namespace rockllama
