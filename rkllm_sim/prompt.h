// The chat template of a runtime: the model's own, or what rkllm_set_chat_template gave. Turns the text of a prompt
// into tokens. Owned by a Runtime.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rkllm_sim/model.h"
#include "rkllm_sim/types.h"

namespace rkllm_sim {

struct PromptTokens {
  std::vector<int32_t> tokens;
  int32_t system_tokens = 0;  // of them, those of the system text at the start
};

class Prompt {
 public:
  // From rkllm_set_chat_template: from now on these alone stand around a text, and enable_thinking means nothing.
  void set_template(std::string system, std::string prefix, std::string postfix);
  // From rkllm_set_function_tools: replaces the system text. False where the template was emptied.
  [[nodiscard]] bool set_tools(const std::string& system, const std::string& tools, const std::string& response_tag);

  // The tokens of a prompt's text; `first` where nothing stands before them. Without a template (`plain`) they are
  // those of the text.
  [[nodiscard]] PromptTokens tokens(const Model& model, const Input& input, bool first, bool plain, bool special) const;

 private:
  struct Piece {
    std::string text;
    bool special;  // its special tokens are parsed
  };

  [[nodiscard]] std::vector<Piece> around(const Model& model, const Input& input, bool special) const;

  bool overridden_ = false;
  std::string system_, prefix_, postfix_;
  std::string response_tag_;
};

}  // namespace rkllm_sim
