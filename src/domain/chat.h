// What a chat consists of. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace rockllama {

struct ChatMessage {
  std::string role;     // one of kChatRoles
  std::string content;  // UTF-8 text
  std::string name{};
  std::string tool_call_id{};
  bool operator==(const ChatMessage&) const = default;
};

inline constexpr std::array<std::string_view, 5> kChatRoles = {"system", "developer", "user", "assistant", "tool"};
inline constexpr const char* kChatRoleRule = "must be system, developer, user, assistant or tool";
[[nodiscard]] inline bool is_chat_role(std::string_view role) {
  return std::find(kChatRoles.begin(), kChatRoles.end(), role) != kChatRoles.end();
}

// A function that the model may ask for.
struct ChatTool {
  std::string name;
  std::string description{};
  std::string parameters{};  // JSON schema, compact; empty = none
  bool operator==(const ChatTool&) const = default;
};

}  // namespace rockllama
