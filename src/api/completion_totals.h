// What several answers to one request cost together. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "service/completions.h"

namespace rockllama::api {

// Of at least one; `of_each` of them answer one prompt, which counts once. The cache is that of the first; `reason`
// means nothing.
[[nodiscard]] CompletionDone total_of(const std::vector<CompletionDone>& choices, size_t of_each);

}  // namespace rockllama::api
