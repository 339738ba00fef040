// What several answers to one request cost together. Pure.
#pragma once

#include <vector>

#include "service/completions.h"

namespace rockllama::api {

// Of at least one. The prompt and its cache count once, as in the first; `reason` means nothing.
[[nodiscard]] CompletionDone total_of(const std::vector<CompletionDone>& choices);

}  // namespace rockllama::api
