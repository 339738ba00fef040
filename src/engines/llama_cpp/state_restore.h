#pragma once

#include <llama.h>

#include <cstdint>

#include "base/result.h"
#include "engines/llama_cpp/state_payload.h"

namespace rockllama {

struct StateTarget {
  llama_context* context = nullptr;
  int32_t sequence = 0;
  uint32_t tokens = 0;
};

// Maps the file and sets its payload into the sequence, from the mapping. On failure the sequence is empty: kCorrupt
// for a payload that is not what it should be, kIo where the file cannot be mapped.
[[nodiscard]] Status restore_state(const StateTarget& target, int file, const StateLayout& layout);

}  // namespace rockllama
