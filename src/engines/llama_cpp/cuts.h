#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rockllama {

// Whether `cuts` ascend to `size`, at least one token and at most `block` tokens apart. Pure.
[[nodiscard]] inline bool cuts_are_valid(std::span<const uint32_t> cuts, size_t size, uint32_t block) {
  uint32_t last = 0;
  for (const uint32_t cut : cuts) {
    if (cut <= last || cut - last > block) return false;
    last = cut;
  }
  return last != 0 && last == size;
}

}  // namespace rockllama
