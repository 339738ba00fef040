// The border of a cache: the longest token prefix that stays the same whatever follows its line. It is found by
// rendering and tokenizing several continuations, never assumed: templates fold the system text into the first turn,
// add a default one or print the date, and tokens merge across the end of a text. Pure but for the date.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "chat/chat_template.h"

namespace rockllama {

using Tokenize = std::function<Result<std::vector<int32_t>>(std::string_view)>;

struct Border {
  std::vector<int32_t> tokens;
  std::string note{};  // what a person should know of it; mostly empty
};

// Of the line at the beginning of a chat, rendered without thinking. Continuations that the template refuses do not
// count; fails as `chat_template` does where it refuses nearly all, and as `tokenize` does.
[[nodiscard]] Result<Border> chat_border(const ChatTemplate& chat_template, const Tokenize& tokenize,
                                         const CacheLine& line);

// Of `text` as it is. Fails as `tokenize` does.
[[nodiscard]] Result<Border> text_border(const Tokenize& tokenize, const std::string& text);

}  // namespace rockllama
