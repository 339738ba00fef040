#include "engines/llama_cpp/state_builder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/hash.h"
#include "engine/cut_plan.h"
#include "engines/llama_cpp/sampler.h"
#include "engines/llama_cpp/state_file.h"
#include "engines/llama_cpp/state_restore.h"

namespace rockllama {

Result<std::unique_ptr<StateBuilder>> StateBuilder::make(llama_model* model, ContextSettings settings,
                                                         SaveStateTask task, CancelSet* cancelled) {
  if (!cuts_are_valid(task.cuts, task.tokens.size(), settings.batch_tokens)) {
    return fail(ErrorCode::kInvalidArgument, "The prefix is not cut into blocks of the engine.");
  }
  settings.cells = static_cast<uint32_t>(task.tokens.size());
  settings.sequences = 1;
  Result<LlamaContext> context = make_context(model, settings);
  if (!context) return fail(context.error());
  return std::unique_ptr<StateBuilder>(new StateBuilder(std::move(*context), std::move(task), cancelled));
}

StateBuilder::StateBuilder(LlamaContext context, SaveStateTask task, CancelSet* cancelled)
    : task_(std::move(task)), context_(std::move(context)), decoder_(context_.get(), cancelled) {}

void StateBuilder::restore_base(const StateLayout& layout) {
  const PrefixState base = std::move(*task_.base);
  task_.base.reset();
  const auto cut = std::find(task_.cuts.begin(), task_.cuts.end(), base.key.tokens);
  if (cut == task_.cuts.end() || base.key.tokens == total_tokens()) return;
  if (!restore_file({context_.get(), 0, base.key.tokens}, base.file.get(), layout)) return;
  done_ = base.key.tokens;
  next_cut_ = static_cast<size_t>(cut - task_.cuts.begin()) + 1;
}

Status StateBuilder::prefill_block() {
  if (began_ms_ == 0) began_ms_ = steady_ms();
  const uint32_t end = task_.cuts[next_cut_];
  const bool is_last = next_cut_ + 1 == task_.cuts.size();
  decoder_.clear();
  decoder_.add_block(std::span(task_.tokens).subspan(done_, end - done_), done_, 0, is_last);
  switch (decoder_.run(task_.id)) {
    case DecodeOutcome::kDone:
      break;
    case DecodeOutcome::kAborted:
      return fail(ErrorCode::kCancelled, "The making of the state was cancelled.");
    default:
      return fail(ErrorCode::kInternal, "The model could not decode the prefix.");
  }
  done_ = end;
  ++next_cut_;
  prefill_ms_ = steady_ms() - began_ms_;
  if (is_last) {
    const SamplingParams greedy{.temperature = 0.0F};
    Sampler sampler(greedy, static_cast<uint32_t>(decoder_.logits(-1).size()), task_.tokens);
    static_cast<void>(sampler.sample(decoder_.logits(-1)));
    first_token_ms_ = steady_ms() - began_ms_;
  }
  return {};
}

Result<SavedState> StateBuilder::write() {
  const size_t size = llama_state_seq_get_size(context_.get(), 0);
  const auto payload = std::make_unique_for_overwrite<uint8_t[]>(size);
  if (llama_state_seq_get_data(context_.get(), payload.get(), size, 0) != size) {
    return fail(ErrorCode::kInternal, "llama.cpp did not give the state.");
  }
  if (Status written = write_state(task_.file.get(), {payload.get(), size}); !written) return fail(written.error());
  return SavedState{.tokens = total_tokens(),
                    .token_hash = hash_tokens(task_.tokens),
                    .anchor = anchor_of(task_.tokens),
                    .bytes = size,
                    .cuts = task_.cuts,
                    .prefill_ms = prefill_ms_,
                    .first_token_ms = first_token_ms_};
}

}  // namespace rockllama
