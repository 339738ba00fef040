// The settings of rockllama.json that are lists or maps of objects: caches made at start, and the endpoint map.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/config.h"

namespace rockllama {

struct StructuredField {
  std::string path;           // "startup_caches"
  nlohmann::json by_default;  // as the shipped file has it
  // Takes `value` over and gives every fault with its path. Files that it names are looked for in `folder`, then in the
  // working directory.
  std::vector<std::string> (*set)(Config& config, const nlohmann::json& value, const std::string& folder);
};

[[nodiscard]] const std::vector<StructuredField>& structured_fields();

// The two `set`s; the first reads files.
std::vector<std::string> set_startup_caches(Config& config, const nlohmann::json& value, const std::string& folder);
std::vector<std::string> set_endpoints(Config& config, const nlohmann::json& value, const std::string& folder);

}  // namespace rockllama
