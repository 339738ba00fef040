// What keeps callers apart: digests that cannot be guessed or timed, and random bytes. libcrypto does the work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama {

using Digest256 = std::array<uint8_t, 32>;

// HMAC-SHA256; kInternal when libcrypto refuses.
[[nodiscard]] Result<Digest256> keyed_digest(std::string_view secret, std::string_view bytes);
// Takes the same time whatever the digests are.
[[nodiscard]] bool same_digest(const Digest256& a, const Digest256& b);
// From the system's generator; kInternal.
[[nodiscard]] Result<std::string> random_bytes(size_t count);

}  // namespace rockllama
