#include "cache/state_record_json.h"

#include "cache/metadata_fields.h"

namespace rockllama {

using metadata_fields::get;

nlohmann::json to_json(const StateRecord& state) {
  nlohmann::json json = {{"engine", state.engine},
                         {"format", to_string(state.format)},
                         {"file", state.file},
                         {"size", state.size},
                         {"checksum", to_hex(state.checksum)},
                         {"generation", state.generation},
                         {"tokens", state.tokens},
                         {"token_hash", to_hex(state.token_hash)},
                         {"cuts", state.cuts},
                         {"fingerprint", state.fingerprint},
                         {"created_at", state.created_at},
                         {"modified_at", state.modified_at},
                         {"status", to_string(state.status)},
                         {"reason", state.reason},
                         {"note", state.note},
                         {"prefill_ms", state.prefill_ms},
                         {"first_token_ms", state.first_token_ms}};
  if (state.line) json["line"] = to_hex(*state.line);
  if (state.anchor) json["anchor"] = to_hex(*state.anchor);
  if (state.counted_tokens) json["counted_tokens"] = *state.counted_tokens;
  return json;
}

std::optional<StateRecord> parse_state_record(const nlohmann::json& json) {
  if (!json.is_object()) return std::nullopt;
  StateRecord state;
  const bool whole = get(json, "engine", &state.engine) && get(json, "format", &state.format) &&
                     get(json, "file", &state.file) && get(json, "size", &state.size) &&
                     get(json, "checksum", &state.checksum) && get(json, "generation", &state.generation) &&
                     get(json, "tokens", &state.tokens) && get(json, "token_hash", &state.token_hash) &&
                     get(json, "cuts", &state.cuts) && get(json, "fingerprint", &state.fingerprint) &&
                     get(json, "status", &state.status);
  if (!whole) return std::nullopt;
  get(json, "created_at", &state.created_at);
  get(json, "modified_at", &state.modified_at);
  get(json, "reason", &state.reason);
  get(json, "note", &state.note);
  get(json, "prefill_ms", &state.prefill_ms);
  get(json, "first_token_ms", &state.first_token_ms);
  get(json, "line", &state.line);
  get(json, "anchor", &state.anchor);
  uint32_t counted = 0;
  if (get(json, "counted_tokens", &counted)) state.counted_tokens = counted;
  return state;
}

}  // namespace rockllama
