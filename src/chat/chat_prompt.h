// Where a prompt cache stands in a chat. Pure.
#pragma once

#include <vector>

#include "domain/generation.h"

namespace rockllama {

// A system or developer message.
[[nodiscard]] bool is_system(const ChatMessage& message);

// What a cache's line says: each text is a system message, messages and tools are themselves.
[[nodiscard]] ChatPrompt chat_of(const CacheLine& line);

// `prompt` without what the line says already: leading system messages of the same text, messages at its beginning that
// repeat the whole line or the last contents of it, tools of the same name.
[[nodiscard]] ChatPrompt without_repeats(const CacheLine& line, ChatPrompt prompt);

// `prompt` behind the line. With `one_system_message` (what the template takes) the leading system messages become one,
// and those of the prompt that come behind a conversation of the line go to the front of its next user message.
[[nodiscard]] ChatPrompt behind_line(const CacheLine& line, ChatPrompt prompt, bool one_system_message);

// The leading system messages as one, joined by an empty line: for templates that allow only one.
[[nodiscard]] std::vector<ChatMessage> fold_system_messages(std::vector<ChatMessage> messages);

}  // namespace rockllama
