// Errors in OpenAI's shape: {"error": {"message", "type", "param", "code"}}. The one table from ErrorCode to HTTP.
#pragma once

#include <string>

#include "api/json_text.h"
#include "base/result.h"
#include "http/message.h"

namespace rockllama::api {

[[nodiscard]] int status_of(ErrorCode code);

// Never carries a path or a stack: a message of a fault of ours that might is replaced by a general one.
[[nodiscard]] OrderedJson error_json(const Error& error);
// 429 of a caller that is at its limits.
[[nodiscard]] OrderedJson rate_limit_json(const std::string& message);
// With Retry-After where coming again helps.
[[nodiscard]] http::ResponseHead error_head(const Error& error);

void respond_error(http::BodyWriter& writer, const Error& error);
void respond_json(http::BodyWriter& writer, const OrderedJson& json, int status = 200);

}  // namespace rockllama::api
