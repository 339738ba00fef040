// Reads the answers of a chat template's models: what is reasoning, what is said, and which tools are asked for. Over
// the parsers that llama.cpp's `common` derives from templates. One thread at a time may use an instance.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "domain/generation.h"

namespace rockllama {

// How answers to one rendered chat are written; made by ChatTemplate.
struct AnswerSyntax;

class AnswerParser {
 public:
  explicit AnswerParser(std::shared_ptr<const AnswerSyntax> syntax);

  // What more of the answer is known now, without logprobs. All pieces together are the whole, wherever it was cut.
  [[nodiscard]] AnswerPiece push(std::string_view text);
  // The rest, after the last text. `complete`: the model ended its answer itself. What cannot be read as the template
  // has it is text.
  [[nodiscard]] AnswerPiece finish(std::string_view text, bool complete);
  // More than may be said has begun: the rest of the answer is not wanted.
  [[nodiscard]] bool is_over() const { return over_; }
  [[nodiscard]] bool called_tools() const { return !told_calls_.empty(); }

 private:
  struct Message;

  [[nodiscard]] bool read(bool partial, Message* message) const;
  [[nodiscard]] AnswerPiece news_of(const Message& message, bool last);
  void add_calls(const Message& message, bool last, AnswerPiece* piece);

  std::shared_ptr<const AnswerSyntax> syntax_;
  std::string answer_;
  size_t told_text_ = 0;  // bytes, like those below
  size_t told_reasoning_ = 0;
  std::vector<size_t> told_calls_;  // of the arguments of each call that was told
  bool over_ = false;
};

}  // namespace rockllama
