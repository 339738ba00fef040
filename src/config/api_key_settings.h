// API keys as the settings give them: a list in rockllama.json or the environment, and a file of lines. Faults name
// the place and never the key.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/config.h"

namespace rockllama {

// `list` of {"name", "key"} or "name:key". Why it is wrong, or nothing: then `keys` holds what it says.
[[nodiscard]] std::optional<std::string> parse_api_keys(const nlohmann::json& list, ApiKeyMap* keys);

// Adds the lines `name:key` of server.api_keys_file, if it is set; empty ones and those that begin with # are skipped.
void read_api_keys_file(Config* config, ConfigReport* report);

}  // namespace rockllama
