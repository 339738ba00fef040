// What a cache's text file holds, as contents: a text, or the messages and tools of a conversation's beginning. Pure.
//
// Messages are a JSON object with `"object": "prompt_cache.messages"`, laid out for people:
//   {"object": "prompt_cache.messages", "messages": [{"role": "user", "content": "..."}, ...], "tools": [...]}
// with tools as OpenAI writes them. Every other text, also JSON that is broken, is a text, byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// kInvalidArgument, naming the field, where `stored` is such an object with messages or tools that are malformed.
[[nodiscard]] Result<CacheContent> parse_content(std::string_view stored);
// What parse_content reads back. What of messages is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string encode_content(const CacheContent& content);

}  // namespace rockllama
