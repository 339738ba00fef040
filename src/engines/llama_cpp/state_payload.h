// The payload of a state file, as llama_state_seq_get_data writes it. llama.cpp trusts the numbers in it, so what can
// be known of a payload is checked before llama.cpp sees it.
#pragma once

#include <llama.h>

#include <cstdint>
#include <span>

#include "base/result.h"

namespace rockllama {

// How large payloads of a context are, learned from one that it wrote itself.
struct StateLayout {
  bool known = false;  // false: the model keeps more than plain attention cells, only llama.cpp can tell
  uint64_t base_bytes = 0;
  uint64_t token_bytes = 0;
  bool cells_listed = false;  // the payload lists its cells' positions where check_payload looks for them
};

// kCorrupt unless `payload` can be the state of the positions 0 to tokens-1. Pure.
[[nodiscard]] Status check_payload(std::span<const uint8_t> payload, uint32_t tokens, const StateLayout& layout);

// Decodes two tokens in sequence 0, which must be empty, and clears the context again: so it warms the model up, too.
// kInternal where the model cannot decode.
[[nodiscard]] Result<StateLayout> learn_layout(llama_context* context);

}  // namespace rockllama
