// JSON schemas that clients send. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/json_text.h"

namespace rockllama::api {

// Why `schema` is more than a grammar should be made of, if it is.
[[nodiscard]] std::optional<std::string> schema_problem(const Json& schema);

}  // namespace rockllama::api
