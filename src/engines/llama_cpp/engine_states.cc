// LlamaCppEngine: the making of states, offered prefixes, and figures.
#include <utility>

#include "engines/llama_cpp/engine_loop.h"

namespace rockllama {

ContextSettings LlamaCppEngine::build_settings() const {
  return {.batch_tokens = parts_.settings.batch_tokens(), .threads = parts_.settings.threads};
}

// Whether a state is being made; begins the next one that waits.
bool LlamaCppEngine::start_build() {
  while (!build_ && !waiting_builds_.empty()) {
    SaveStateTask task = std::move(waiting_builds_.front());
    waiting_builds_.pop_front();
    const RequestId id = task.id;
    if (task.tokens.size() > parts_.settings.context_tokens) {
      emit(TaskFailed{id, {ErrorCode::kContextLengthExceeded, "The prefix is longer than the model's context."}});
      continue;
    }
    auto build = StateBuilder::make(parts_.vocabulary.model(), build_settings(), std::move(task), &cancelled_);
    if (build) {
      begin_build(std::move(*build));
    } else {
      emit(TaskFailed{id, build.error()});
    }
  }
  return build_ != nullptr;
}

void LlamaCppEngine::begin_build(std::unique_ptr<StateBuilder> build) {
  build_ = std::move(build);
  build_turn_ = turn_;
  const std::string base = build_->base_id();
  if (base.empty()) return;
  emit(RestoreBegins{build_->id(), base});
  build_->restore_base(parts_.layout);
  emit(PrefillProgress{build_->id(), build_->done_tokens(), build_->total_tokens()});
}

void LlamaCppEngine::build_block() {
  const RequestId id = build_->id();
  if (Status prefilled = build_->prefill_block(); !prefilled) return drop(id, prefilled.error());
  emit(PrefillProgress{id, build_->done_tokens(), build_->total_tokens()});
  if (build_->done_tokens() < build_->total_tokens()) return;
  const Result<SavedState> saved = build_->write();
  if (!saved) return drop(id, saved.error());
  build_.reset();
  emit(StateWritten{id, *saved});
}

void LlamaCppEngine::keep(RequestId id, uint64_t offer, UniqueFd file) {
  if (!file.valid()) return buffer_.automatic().forget_offer(offer);
  const Result<SavedState> saved = buffer_.automatic().write_offer(offer, file.get());
  if (saved) {
    emit(StateWritten{id, *saved});
  } else {
    emit(TaskFailed{id, saved.error()});
  }
}

void LlamaCppEngine::offer_all() {
  while (buffer_.copy_one()) continue;
  buffer_.automatic().offer_all();
}

size_t LlamaCppEngine::unanswered_offers() { return buffer_.automatic().unanswered_offers(); }

void LlamaCppEngine::report_figures() {
  if (!std::exchange(figures_due_, false)) return;
  EngineFigures figures = buffer_.figures();
  figures.prefill_tokens_per_s = speeds_.prefill_tokens.per_second();
  figures.restore_bytes_per_s = speeds_.file_bytes.per_second();
  if (!(figures == reported_)) emit(FiguresChanged{figures});
  reported_ = figures;
}

}  // namespace rockllama
