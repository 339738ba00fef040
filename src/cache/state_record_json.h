// A state's record as JSON: an entry of `states` in the metadata, and in the manifest of an archive. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "cache/cache_metadata.h"

namespace rockllama {

[[nodiscard]] nlohmann::json to_json(const StateRecord& state);
// Nothing where a field that a restore depends on is missing or of another type.
[[nodiscard]] std::optional<StateRecord> parse_state_record(const nlohmann::json& json);

}  // namespace rockllama
