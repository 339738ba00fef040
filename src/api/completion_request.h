// The body of POST /v1/completions. Pure.
#pragma once

#include <string_view>

#include "api/generation_fields.h"

namespace rockllama::api {

// kInvalidArgument or kUnsupported with the path of the field at fault.
[[nodiscard]] Result<CompletionCall> parse_completion_request(std::string_view body);

}  // namespace rockllama::api
