#include <nlohmann/json.hpp>

#include "cache/cache_metadata.h"
#include "cache/metadata_fields.h"
#include "cache/state_record_json.h"

namespace rockllama {
namespace {

using Json = nlohmann::json;

Json to_json(const FileInfo& info) { return {{"size", info.size}, {"mtime_ns", info.mtime_ns}, {"inode", info.inode}}; }

std::string dumped(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void write_fields(const CacheMetadata& metadata, Json* json) {
  Json states = Json::array();
  for (const StateRecord& state : metadata.states) states.push_back(to_json(state));
  json->update({{"format_version", 1},
                {"cache_name", metadata.cache_name},
                {"model_name", metadata.model_name},
                {"created_at", metadata.created_at},
                {"modified_at", metadata.modified_at},
                {"last_used_at", metadata.last_used_at},
                {"hits", metadata.hits},
                {"content_length", metadata.content_length},
                {"source", metadata.source},
                {"parent", metadata.parent},
                {"pinned", metadata.pinned},
                {"expires_at", metadata.expires_at},
                {"generation", metadata.generation},
                {"text_file", to_json(metadata.text_file)}});
  (*json)["attributes_hash"] = to_hex(metadata_fields::hash_attributes(metadata));
  const std::string text_hash = metadata.text_hash ? to_hex(*metadata.text_hash) : "";
  if (metadata.text_hash) (*json)["text_hash"] = text_hash;
  if (metadata.content) (*json)["content"] = *metadata.content;
  (*json)["states_hash"] = to_hex(hash_bytes(text_hash + dumped(states)));
  (*json)["states"] = std::move(states);
}

Json to_json(const PendingCommit& pending) {
  Json files = Json::array();
  for (const Replacement& file : pending.files) {
    Json item = {{"from", file.from}, {"to", file.to}, {"new_hash", to_hex(file.new_hash)}};
    if (file.old_hash) item["old_hash"] = to_hex(*file.old_hash);
    files.push_back(std::move(item));
  }
  Json next = Json::object();
  write_fields(pending.next, &next);
  return {{"files", std::move(files)}, {"next", std::move(next)}};
}

}  // namespace

Hash128 hash_line(const std::vector<Hash128>& texts) {
  std::string hashes;
  for (const Hash128& text : texts) hashes += to_hex(text);
  return hash_bytes(hashes);
}

std::string serialise_metadata(const MetadataFile& file) {
  Json json = Json::object();
  if (file.current) {
    if (!file.current->others.empty()) json = Json::parse(file.current->others, nullptr, false);
    write_fields(*file.current, &json);
  }
  if (file.pending) {
    Json intent = to_json(*file.pending);
    if (!file.current) intent["creates"] = true;
    json["intent"] = std::move(intent);
  }
  return dumped(json, 2) + "\n";
}

}  // namespace rockllama
