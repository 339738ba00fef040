// Lists of token ids in requests. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/json_text.h"

namespace rockllama::api {

// Nothing where `list` is no list of integers from 0 to 2^31 - 1.
[[nodiscard]] std::optional<std::vector<int32_t>> read_token_ids(const Json& list);

}  // namespace rockllama::api
