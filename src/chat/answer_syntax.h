// Private to src/chat.
#pragma once

#include <chat.h>

namespace rockllama {

struct AnswerSyntax {
  common_chat_parser_params params;
  bool reasons = false;  // so that space before what is reasoned or said belongs to the form
};

}  // namespace rockllama
