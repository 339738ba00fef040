#include "service/completions.h"

#include <utility>

#include "service/completion_flow.h"

namespace rockllama {

Completions::Handle Completions::run(CompletionRequest request, uint32_t credit, CompletionSink sink) {
  const auto flow = std::make_shared<CompletionFlow>(context_, std::move(request), credit, std::move(sink));
  flow->begin();
  Handle handle;
  handle.flow_ = flow;
  return handle;
}

void Completions::Handle::cancel() const {
  if (const auto flow = flow_.lock()) flow->cancel();
}

void Completions::Handle::add_credit(uint32_t tokens) const {
  if (const auto flow = flow_.lock()) flow->add_credit(tokens);
}

}  // namespace rockllama
