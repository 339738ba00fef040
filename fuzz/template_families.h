// Chat templates of several families, out of llama.cpp's source, for the fuzzers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "chat/chat_template.h"

namespace rockllama {

inline constexpr size_t kFamilies = 10;

// The template that a byte means; read once. One thread.
[[nodiscard]] const ChatTemplate& family_of(uint8_t byte);

}  // namespace rockllama
