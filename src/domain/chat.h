// What a chat consists of. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rockllama {

// What the model asked for.
struct ToolCall {
  std::string id{};
  std::string name{};
  std::string arguments{};  // JSON, as the model wrote it
  bool operator==(const ToolCall&) const = default;
};

struct ChatMessage {
  std::string role;     // one of kChatRoles
  std::string content;  // UTF-8 text
  std::string name{};
  std::string tool_call_id{};
  std::string reasoning_content{};     // of an assistant
  std::vector<ToolCall> tool_calls{};  // of an assistant
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

// Whether the model may, must not or has to ask for a tool.
enum class ToolChoice : uint8_t { kAuto, kNone, kRequired };

}  // namespace rockllama
