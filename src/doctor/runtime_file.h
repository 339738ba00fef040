// Which librkllmrt.so a worker would open, and what its bytes say of its version. The file is read, never loaded.
#pragma once

#include <optional>

#include "doctor/machine.h"
#include "doctor/machine_reader.h"

namespace rockllama::doctor {

// The configured one, else RKLLM_LIB_PATH, else what the loader would find: LD_LIBRARY_PATH, its cache, its folders.
// A path that somebody named is given also where no file is there; nothing where nobody named any and none is found.
[[nodiscard]] std::optional<RuntimeFile> find_runtime(const MachineSources& sources);

}  // namespace rockllama::doctor
