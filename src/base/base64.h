// Base64 as RFC 4648 has it, with padding. Pure.
#pragma once

#include <string>
#include <string_view>

namespace rockllama {

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace rockllama
