// API keys over HTTP: `Authorization: Bearer KEY`, or `x-api-key: KEY`.
#pragma once

#include "http/message.h"
#include "service/api_keys.h"

namespace rockllama::api {

// Lets requests with one of `keys` pass and says in Request::caller whose it is; answers all others with 401.
// `keys` outlives the guard.
[[nodiscard]] http::Guard require_key(const ApiKeys* keys);

}  // namespace rockllama::api
