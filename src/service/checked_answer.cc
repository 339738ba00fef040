#include "service/checked_answer.h"

#include <utility>

namespace rockllama {
namespace {

constexpr const char* kNotHeld = "this model's engine cannot be held to response_format; ";

std::string unfit(const std::string& problem) { return kNotHeld + ("the answer does not fit it: " + problem); }

}  // namespace

// Behind the rest, so that the prefix of the conversation stays what it was.
void CheckedAnswer::ask_in_words(ChatPrompt* chat) {
  const std::string schema = std::exchange(chat->answer_schema, {});
  chat->messages.back().content += "\n\nAnswer with nothing but JSON that fits this JSON schema: " + schema;
}

void CheckedAnswer::add(const AnswerPiece& piece) {
  said_.text += piece.text;
  said_.reasoning += piece.reasoning;
}

bool CheckedAnswer::settle(FinishReason reason, ChatPrompt* chat) {
  if (reason != FinishReason::kStop) {
    warning_ = kNotHeld + std::string("the answer ended before it could be checked");
    return true;
  }
  auto fitting = check_(said_.text);
  if (fitting) {
    said_.text = std::move(*fitting);
    warning_ = kNotHeld + std::string(asked_again_ ? "the second answer fits" : "the answer was checked and fits");
    return true;
  }
  warning_ = unfit(fitting.error().message);
  if (asked_again_) return true;
  asked_again_ = true;
  first_problem_ = fitting.error().message;
  first_ = said_;
  if (!said_.text.empty()) {
    chat->messages.push_back({"assistant", said_.text});
    chat->messages.push_back({"user", "That does not fit the schema: " + first_problem_ + ". Answer again."});
  }
  return false;
}

void CheckedAnswer::settle_with_first() {
  said_ = std::move(first_);
  warning_ = unfit(first_problem_);
}

}  // namespace rockllama
