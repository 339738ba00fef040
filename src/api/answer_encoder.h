// The answers to one request in the words of a dialect: a whole response, or the events of a stream. One thread at a
// time. Implementations: CompletionEncoder and ResponseEncoder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "service/completions.h"

namespace rockllama::api {

// One of the answers to a request, as far as it came.
struct ChoiceAnswer {
  AnswerPiece said{};
  FinishReason reason = FinishReason::kStop;

  void add(const AnswerPiece& piece);
};

class AnswerEncoder {
 public:
  virtual ~AnswerEncoder() = default;

  // Before the first event: which model answers, and the fingerprint of it and its engine; empty = not known.
  virtual void set_model(const std::string& model, const std::string& fingerprint) = 0;

  // `done`: of all choices together.
  [[nodiscard]] virtual std::string whole(const std::vector<ChoiceAnswer>& choices, const CompletionDone& done) = 0;

  // Server-sent events. The opening one of a choice is empty where the dialect has none.
  [[nodiscard]] virtual std::string opening(uint32_t choice) = 0;
  [[nodiscard]] virtual std::string piece(uint32_t choice, const AnswerPiece& piece) = 0;
  // `warnings` of the whole request, with the choice that ends last.
  [[nodiscard]] virtual std::string choice_ending(uint32_t choice, FinishReason reason,
                                                  const std::vector<std::string>& warnings) = 0;
  // What comes after all choices.
  [[nodiscard]] virtual std::string ending(const CompletionDone& done) = 0;
  // Of a stream that has begun: the last event, whatever came before it.
  [[nodiscard]] virtual std::string failure(const Error& error) = 0;
};

}  // namespace rockllama::api
