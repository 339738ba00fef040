#pragma once

#include <llama.h>

#include <cstdint>
#include <span>

#include "base/result.h"
#include "engines/llama_cpp/state_payload.h"

namespace rockllama {

struct StateTarget {
  llama_context* context = nullptr;
  int32_t sequence = 0;
  uint32_t tokens = 0;
};

// Sets a payload into the sequence. On failure the sequence is empty: kCorrupt for a payload that is not what
// it should be, kInternal where llama.cpp did not take it.
[[nodiscard]] Status restore_payload(const StateTarget& target, std::span<const uint8_t> payload,
                                     const StateLayout& layout);

// Maps the file and sets its payload into the sequence, from the mapping; returns its bytes. On failure the sequence is
// empty, as above, or kIo where the file cannot be mapped.
[[nodiscard]] Result<uint64_t> restore_file(const StateTarget& target, int file, const StateLayout& layout);

}  // namespace rockllama
