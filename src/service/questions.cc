#include "service/questions.h"

#include <utility>

#include "service/question_flow.h"

namespace rockllama {

Questions::Cancel Questions::ask(QuestionRequest request, QuestionSink sink) {
  const auto flow = std::make_shared<QuestionFlow>(context_, std::move(request), std::move(sink));
  flow->begin();
  return [weak = std::weak_ptr<QuestionFlow>(flow)] {
    if (const auto open = weak.lock()) open->cancel();
  };
}

}  // namespace rockllama
