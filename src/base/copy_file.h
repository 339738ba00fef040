// Copies what a descriptor holds to another one, in the kernel where it can.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace rockllama {

// All of `from`, a regular file, from its beginning to the beginning of `to`; the offset of `from` stays. Gives the
// bytes. kNoSpace or kIo.
[[nodiscard]] Result<uint64_t> copy_file(int from, int to);

}  // namespace rockllama
