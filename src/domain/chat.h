// What a chat consists of. Plain values.
#pragma once

#include <string>

namespace rockllama {

struct ChatMessage {
  std::string role;     // system, developer, user, assistant, tool
  std::string content;  // UTF-8 text
  std::string name{};
  std::string tool_call_id{};
  bool operator==(const ChatMessage&) const = default;
};

// A function that the model may ask for.
struct ChatTool {
  std::string name;
  std::string description{};
  std::string parameters{};  // JSON schema, compact; empty = none
  bool operator==(const ChatTool&) const = default;
};

}  // namespace rockllama
