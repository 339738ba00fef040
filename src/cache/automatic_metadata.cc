#include "cache/automatic_metadata.h"

#include <nlohmann/json.hpp>

#include "base/json_depth.h"
#include "cache/metadata_fields.h"
#include "domain/prefix_value.h"

namespace rockllama {
namespace {

using Json = nlohmann::json;
using metadata_fields::get;
using metadata_fields::member;

std::string plain(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool get_points(const Json& json, std::vector<StatePoint>* points) {
  const Json* list = member(json, "points");
  if (list == nullptr || !list->is_array()) return false;
  for (const Json& item : *list) {
    StatePoint point;
    if (!item.is_object() || !get(item, "tokens", &point.tokens) || !get(item, "token_hash", &point.token_hash)) {
      return false;
    }
    points->push_back(point);
  }
  return true;
}

}  // namespace

std::string serialise_automatic(const AutomaticRecord& record) {
  Json points = Json::array();
  for (const StatePoint& point : record.known.points) {
    points.push_back({{"tokens", point.tokens}, {"token_hash", to_hex(point.token_hash)}});
  }
  Json json = {{"format_version", 1},
               {"engine", record.engine},
               {"format", to_string(record.known.format)},
               {"size", record.size},
               {"checksum", to_hex(record.checksum)},
               {"tokens", record.known.key.tokens},
               {"token_hash", to_hex(record.known.key.token_hash)},
               {"cuts", record.known.cuts},
               {"points", std::move(points)},
               {"salt", to_hex(record.known.salt)},
               {"fingerprint", record.fingerprint},
               {"created_at", record.created_at},
               {"last_used_at", record.last_used_at},
               {"hits", record.hits},
               {"value", record.value}};
  json["fields_hash"] = to_hex(hash_bytes(plain(json)));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<AutomaticRecord> parse_automatic(std::string_view text) {
  const auto broken = fail(ErrorCode::kCorrupt, "the metadata of an automatic state is damaged");
  Json json = nested_too_deep(text) ? Json() : Json::parse(text, nullptr, false);
  Hash128 written;
  if (!json.is_object() || !get(json, "fields_hash", &written)) return broken;
  json.erase("fields_hash");
  if (written != hash_bytes(plain(json))) return broken;
  AutomaticRecord record;
  const bool whole = get(json, "engine", &record.engine) && get(json, "format", &record.known.format) &&
                     get(json, "size", &record.size) && get(json, "checksum", &record.checksum) &&
                     get(json, "tokens", &record.known.key.tokens) &&
                     get(json, "token_hash", &record.known.key.token_hash) && get(json, "cuts", &record.known.cuts) &&
                     get_points(json, &record.known.points) && get(json, "salt", &record.known.salt) &&
                     get(json, "fingerprint", &record.fingerprint) && get(json, "created_at", &record.created_at) &&
                     get(json, "last_used_at", &record.last_used_at) && get(json, "hits", &record.hits) &&
                     get(json, "value", &record.value);
  if (!whole) return broken;
  return record;
}

double value_of(const AutomaticRecord& record, double now) {
  const double offered = decayed_hits({.hits = record.value, .last_used_s = record.created_at}, now);
  if (record.hits == 0) return offered;
  return offered + prefix_value({.tokens = record.known.key.tokens,
                                 .bytes = record.size,
                                 .hits = static_cast<double>(record.hits),
                                 .last_used_s = record.last_used_at},
                                now);
}

}  // namespace rockllama
