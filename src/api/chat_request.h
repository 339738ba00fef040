// The body of POST /v1/chat/completions. Pure.
#pragma once

#include <string_view>

#include "api/generation_fields.h"

namespace rockllama::api {

// `enable_thinking` is what holds where the request says nothing. kInvalidArgument, kUnsupportedContent or kUnsupported
// with the path of the field at fault.
[[nodiscard]] Result<CompletionCall> parse_chat_request(std::string_view body, bool enable_thinking);

}  // namespace rockllama::api
