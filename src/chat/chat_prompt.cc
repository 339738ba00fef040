#include "chat/chat_prompt.h"

#include <algorithm>
#include <utility>

namespace rockllama {

bool is_system(const ChatMessage& message) { return message.role == "system" || message.role == "developer"; }

std::vector<ChatMessage> messages_with_cache(std::string_view cache_text, std::vector<ChatMessage> messages) {
  const auto system_end = std::find_if_not(messages.begin(), messages.end(), is_system);
  const auto same = std::find_if(messages.begin(), system_end,
                                 [&](const ChatMessage& message) { return message.content == cache_text; });
  if (same != system_end) messages.erase(same);
  messages.insert(messages.begin(), ChatMessage{"system", std::string(cache_text)});
  return messages;
}

std::vector<ChatMessage> fold_system_messages(std::vector<ChatMessage> messages) {
  const auto system_end = std::find_if_not(messages.begin(), messages.end(), is_system);
  if (system_end - messages.begin() < 2) return messages;
  for (auto next = messages.begin() + 1; next != system_end; ++next) {
    messages.front().content += "\n\n" + next->content;
  }
  messages.erase(messages.begin() + 1, system_end);
  return messages;
}

}  // namespace rockllama
