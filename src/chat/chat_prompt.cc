#include "chat/chat_prompt.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rockllama {
namespace {

using Messages = std::vector<ChatMessage>;

constexpr const char* kBetweenFolded = "\n\n";

Messages messages_of(const CacheContent& content) {
  if (content.is_text()) return {{"system", content.text}};
  return content.messages;
}

Messages messages_from(const CacheLine& line, size_t first) {
  Messages messages;
  for (size_t i = first; i < line.size(); ++i) {
    const Messages own = messages_of(line[i]);
    messages.insert(messages.end(), own.begin(), own.end());
  }
  return messages;
}

Messages without_leading_system(Messages messages) {
  messages.erase(messages.begin(), std::find_if_not(messages.begin(), messages.end(), is_system));
  return messages;
}

bool says_the_same(const ChatMessage& a, const ChatMessage& b) {
  return a.role == b.role && a.content == b.content && a.tool_calls == b.tool_calls;
}

void drop_known_system(const Messages& known, Messages* messages) {
  for (const ChatMessage& message : known) {
    if (!is_system(message)) continue;
    const auto system_end = std::find_if_not(messages->begin(), messages->end(), is_system);
    const auto same = std::find_if(messages->begin(), system_end,
                                   [&](const ChatMessage& own) { return own.content == message.content; });
    if (same != system_end) messages->erase(same);
  }
}

void drop_known_conversation(const CacheLine& line, Messages* messages) {
  const auto begin = std::find_if_not(messages->begin(), messages->end(), is_system);
  for (size_t first = 0; first < line.size(); ++first) {
    const Messages known = without_leading_system(messages_from(line, first));
    if (known.empty() || std::distance(begin, messages->end()) < std::ssize(known)) continue;
    if (!std::equal(known.begin(), known.end(), begin, says_the_same)) continue;
    messages->erase(begin, begin + std::ssize(known));
    return;
  }
}

void add_tools(const std::vector<ChatTool>& tools, std::vector<ChatTool>* all) {
  for (const ChatTool& tool : tools) {
    const auto same = std::find_if(all->begin(), all->end(), [&](const ChatTool& t) { return t.name == tool.name; });
    if (same == all->end()) all->push_back(tool);
  }
}

// As templates without system messages do themselves.
Messages system_in_first_turn(Messages messages) {
  messages = fold_system_messages(std::move(messages));
  if (messages.size() < 2 || !is_system(messages[0]) || messages[1].role != "user") return messages;
  messages[1].content = messages[0].content + kBetweenFolded + messages[1].content;
  messages.erase(messages.begin());
  return messages;
}

}  // namespace

bool is_system(const ChatMessage& message) { return message.role == "system" || message.role == "developer"; }

ChatPrompt chat_of(const CacheLine& line) {
  ChatPrompt chat{.messages = messages_from(line, 0)};
  for (const CacheContent& content : line) add_tools(content.tools, &chat.tools);
  return chat;
}

ChatPrompt without_repeats(const CacheLine& line, ChatPrompt prompt) {
  drop_known_system(messages_from(line, 0), &prompt.messages);
  drop_known_conversation(line, &prompt.messages);
  return prompt;
}

ChatPrompt behind_line(const CacheLine& line, ChatPrompt prompt, bool one_system_message) {
  ChatPrompt chat = chat_of(line);
  add_tools(prompt.tools, &chat.tools);
  const bool behind_conversation = !std::all_of(chat.messages.begin(), chat.messages.end(), is_system);
  if (one_system_message && behind_conversation) prompt.messages = system_in_first_turn(std::move(prompt.messages));
  std::move(prompt.messages.begin(), prompt.messages.end(), std::back_inserter(chat.messages));
  if (one_system_message) chat.messages = fold_system_messages(std::move(chat.messages));
  prompt.messages = std::move(chat.messages);
  prompt.tools = std::move(chat.tools);
  return prompt;
}

std::vector<ChatMessage> fold_system_messages(std::vector<ChatMessage> messages) {
  const auto system_end = std::find_if_not(messages.begin(), messages.end(), is_system);
  if (system_end - messages.begin() < 2) return messages;
  for (auto next = messages.begin() + 1; next != system_end; ++next) {
    messages.front().content += kBetweenFolded + next->content;
  }
  messages.erase(messages.begin() + 1, system_end);
  return messages;
}

}  // namespace rockllama
