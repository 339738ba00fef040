// What the scripted engine saves as the state of a prefix: a mark and the tokens themselves, so that a restore can tell
// a state of other tokens or a damaged one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace rockllama {

// Writes from the file's beginning; gives the bytes written, or kNoSpace or kIo.
[[nodiscard]] Result<uint64_t> write_state_payload(int file, std::span<const int32_t> tokens);
// Nothing where the file holds no payload.
[[nodiscard]] std::optional<std::vector<int32_t>> read_state_payload(int file);

}  // namespace rockllama
