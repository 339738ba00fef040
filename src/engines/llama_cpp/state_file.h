#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

namespace rockllama {

// Writes a payload into the file, from its beginning. kNoSpace, kIo: the file is empty then.
[[nodiscard]] Status write_state(int file, std::span<const uint8_t> payload);

}  // namespace rockllama
