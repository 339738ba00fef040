// When a state is worth its file: what restoring costs against prefilling, as measured on this device. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "domain/model.h"

namespace rockllama {

// 0 where the prefill speed is not measured yet.
[[nodiscard]] double prefill_ms(uint32_t tokens, const EngineFigures& figures);
// From a file; with a cautious speed where none is measured yet.
[[nodiscard]] double restore_ms(uint64_t bytes, const EngineFigures& figures);

// The least tokens at which restoring is quicker than prefilling; nothing where it never is, or is not known yet.
[[nodiscard]] std::optional<uint32_t> break_even_tokens(uint64_t kv_bytes_per_token, const EngineFigures& figures);

}  // namespace rockllama
