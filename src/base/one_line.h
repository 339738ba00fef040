// Text of unknown origin for a header line or a line of the log. Pure.
#pragma once

#include <string>

namespace rockllama {

// Control characters, line ends among them, become '?'.
[[nodiscard]] inline std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace rockllama
