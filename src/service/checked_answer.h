// An answer in JSON of an engine that cannot be held to a grammar: asked for in words, held back until it is whole,
// checked, and asked for once more where it does not fit. Pure; one thread at a time.
#pragma once

#include <string>

#include "service/completions.h"

namespace rockllama {

class CheckedAnswer {
 public:
  explicit CheckedAnswer(AnswerCheck check) : check_(std::move(check)) {}

  // Puts the schema of `chat` into its last message, in words, where a grammar would have held the answer to it.
  static void ask_in_words(ChatPrompt* chat);

  void begin() { said_ = {}; }  // a run begins, or begins anew
  void add(const AnswerPiece& piece);
  // A run has ended. False where it is to be asked again; then `chat` says what was wrong. Else told() and warning()
  // are known. No second answer is asked for again.
  [[nodiscard]] bool settle(FinishReason reason, ChatPrompt* chat);
  [[nodiscard]] bool asked_again() const { return asked_again_; }
  // The second run failed: the first answer is told.
  void settle_with_first();

  [[nodiscard]] const AnswerPiece& told() const { return said_; }
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  AnswerCheck check_;
  AnswerPiece said_;
  AnswerPiece first_;          // what was said before it was asked again
  std::string first_problem_;  // with that
  std::string warning_;
  bool asked_again_ = false;
};

}  // namespace rockllama
