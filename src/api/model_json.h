// Models as responses show them, and the request that names one. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "service/models.h"

namespace rockllama::api {

// OpenAI's model object; `id` is the name, or the alias name@cache.
[[nodiscard]] OrderedJson model_json(const ModelStatus& status, const std::string& id);
// The same with what is known of it: engine, whether it is loaded, its limits, why it failed.
[[nodiscard]] OrderedJson model_details_json(const ModelStatus& status, const std::string& id);
// GET /v1/models: every model, followed by its aliases.
[[nodiscard]] OrderedJson model_list_json(const std::vector<ModelStatus>& models);
[[nodiscard]] OrderedJson available_models_json(const std::vector<ModelStatus>& models);
[[nodiscard]] OrderedJson loaded_models_json(const Readiness& readiness);
[[nodiscard]] OrderedJson readiness_json(const Readiness& readiness);

// The body of load and unload: {"model"}, or nothing at all. Empty where it names none.
[[nodiscard]] Result<std::string> parse_model_name(std::string_view body);

}  // namespace rockllama::api
