// GET /openapi.json, an OpenAPI 3.1 document of all that is served, and GET /docs, a page that shows it.
#pragma once

#include <string>
#include <string_view>

#include "api/json_text.h"

namespace rockllama::api {

[[nodiscard]] OrderedJson openapi_document(const std::string& version);

// "components": {"schemas": ...} of the document, as JSON, but for what follows them.
[[nodiscard]] std::string_view openapi_request_schemas();
[[nodiscard]] std::string_view openapi_answer_schemas();
// The properties that requests for chats, completions and responses have in common, as JSON.
[[nodiscard]] std::string_view openapi_generation_fields();
// HTML without anything from elsewhere.
[[nodiscard]] std::string_view openapi_page();

}  // namespace rockllama::api
