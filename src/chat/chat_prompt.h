// Where a prompt cache stands in a chat. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

// A system or developer message.
[[nodiscard]] bool is_system(const ChatMessage& message);

// `messages` with the cache as the first system message. A leading system message of the same text is not doubled, one
// with another text follows.
[[nodiscard]] std::vector<ChatMessage> messages_with_cache(std::string_view cache_text,
                                                           std::vector<ChatMessage> messages);

// The leading system messages as one, joined by an empty line: for templates that allow only one.
[[nodiscard]] std::vector<ChatMessage> fold_system_messages(std::vector<ChatMessage> messages);

}  // namespace rockllama
