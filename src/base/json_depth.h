// A check before any JSON parser sees a text: nlohmann's has no limit of its own, and what it builds is freed
// recursively.
#pragma once

#include <string_view>

namespace rockllama {

inline constexpr int kMaxJsonDepth = 64;

// Whether brackets nest deeper than kMaxJsonDepth, outside of strings.
[[nodiscard]] bool nested_too_deep(std::string_view json);

}  // namespace rockllama
