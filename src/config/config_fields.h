// The one list of settings: gives parsing, ranges, environment names, defaults. A setting that is not in it is unknown.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace rockllama {

struct ConfigField {
  std::string path;  // "server.port"
  // Why `value` is wrong ("must be a number from 0 to 65535"), or nothing: then it was taken over.
  std::function<std::optional<std::string>(Config&, const nlohmann::json& value)> set;
  std::function<nlohmann::json(const Config&)> get;
};

[[nodiscard]] const std::vector<ConfigField>& server_fields();     // of rockllama.json
[[nodiscard]] const std::vector<ConfigField>& inference_fields();  // of inference_config.json

// `fields` of `config` as the nested object of their file.
[[nodiscard]] nlohmann::json to_json(const Config& config, const std::vector<ConfigField>& fields);

}  // namespace rockllama
