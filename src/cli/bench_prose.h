// Text to measure with. Pure.
#pragma once

#include <string>

namespace rockllama {

// Plain English prose of about `tokens` tokens. Texts of different `variant` differ from their first words on.
[[nodiscard]] std::string bench_prose(int tokens, int variant);

}  // namespace rockllama
