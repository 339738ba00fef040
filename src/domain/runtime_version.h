// The version that a library file says of itself. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace rockllama {

// Every version that stands behind "RKLLM SDK (version: " or "rkllm-runtime version: " in the bytes, as in "1.2.1b1".
// Format strings ("%s") are none.
[[nodiscard]] std::set<std::string> versions_in(std::string_view bytes);

}  // namespace rockllama
