#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace rockllama {

// Characters of UTF-8 text: all bytes but those that continue one.
[[nodiscard]] inline uint64_t count_characters(std::string_view text) {
  return static_cast<uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace rockllama
