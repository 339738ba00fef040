// Private to src/chat.
#pragma once

#include <chat.h>

namespace rockllama {

struct AnswerSyntax {
  common_chat_parser_params params;
  bool reasons = false;   // so that space before what is reasoned or said belongs to the form
  bool one_call = false;  // the answer ends where a second call begins
};

}  // namespace rockllama
