// The flow of a question to a model: the model is found, loaded if need be, and its worker is asked.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "domain/question.h"

namespace rockllama {

struct QuestionRequest {
  std::string caller{};  // API key name or address, for fairness
  std::string model{};   // as the client wrote it: empty, a name, or name@cache, of which the cache does not matter
  Question question;
};

struct QuestionDone {
  std::string model;
  Answer answer;
};
// Called once, on a thread of the service. Errors: those of ModelPool::acquire, and what the worker says.
using QuestionSink = std::function<void(Result<QuestionDone>)>;

struct ServiceContext;

class Questions {
 public:
  explicit Questions(ServiceContext* context) : context_(context) {}

  // Cancels the question, if it is still open: the sink gets kCancelled. Any thread.
  using Cancel = std::function<void()>;
  // Never blocks.
  Cancel ask(QuestionRequest request, QuestionSink sink);

 private:
  ServiceContext* context_;
};

}  // namespace rockllama
