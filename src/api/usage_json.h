// What a completion cost and what became of its prompt cache, as responses and headers say it. Pure.
#pragma once

#include <string>

#include "api/json_text.h"
#include "service/completions.h"

namespace rockllama::api {

// The `usage` object of completions, and of responses.
[[nodiscard]] OrderedJson usage_json(const CompletionDone& done);
[[nodiscard]] OrderedJson response_usage_json(const CompletionDone& done);

// x-prompt-cache: "hit|text|miss; name=...; tokens=...", without the name where there is none. Bytes of a name that a
// header cannot carry are percent-encoded.
[[nodiscard]] std::string prompt_cache_header(const CacheUse& cache);

}  // namespace rockllama::api
