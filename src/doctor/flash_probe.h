// How quick the device below a folder writes and reads.
#pragma once

#include <string>

#include "base/result.h"
#include "doctor/machine.h"

namespace rockllama::doctor {

// Writes, syncs and reads back at most 32 MiB in `folder`, for about a second each way; the file has no name, so
// nothing stays behind. kNotFound where there is no such folder, kNoSpace where less than eight times that is free,
// kIo.
[[nodiscard]] Result<FlashSpeed> measure_flash(const std::string& folder);

}  // namespace rockllama::doctor
