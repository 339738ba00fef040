#include "engines/llama_cpp/engine_loop.h"

#include <algorithm>

#include "base/clock.h"
#include "engines/llama_cpp/cuts.h"

namespace rockllama {
namespace {

template <class Tasks>
bool erase_task(Tasks& tasks, RequestId id) {
  return std::erase_if(tasks, [id](const auto& task) { return task.id == id; }) != 0;
}

Error cancelled_error() { return {ErrorCode::kCancelled, "The request was cancelled."}; }

}  // namespace

LlamaCppEngine::LlamaCppEngine(Parts parts)
    : parts_(std::move(parts)),
      decoder_(parts_.context.get(), &cancelled_),
      buffer_(parts_.context.get(),
              {.cells = parts_.settings.kv_cells,
               .generations = parts_.settings.parallel,
               .idle_residents = parts_.settings.idle_residents},
              parts_.layout, [this](const std::string& id) {
                emit(RestoreBegins{restoring_, id});
              }) {}

void LlamaCppEngine::start(GenerationTask task) { waiting_.push_back(std::move(task)); }

void LlamaCppEngine::save_state(SaveStateTask task) { waiting_builds_.push_back(std::move(task)); }

void LlamaCppEngine::keep(RequestId id, uint64_t /*offer*/, UniqueFd file) {
  if (file.valid()) emit(TaskFailed{id, {ErrorCode::kNotFound, "This prefix is not there any more."}});
}

void LlamaCppEngine::add_credit(RequestId id, uint32_t tokens) {
  const auto add = [tokens](uint32_t& credit) { credit += std::min(tokens, UINT32_MAX - credit); };
  if (RunningGeneration* generation = find(id)) add(generation->task.credit);
  for (GenerationTask& task : waiting_) {
    if (task.id == id) add(task.credit);
  }
}

bool LlamaCppEngine::step() {
  bool worked = drop_cancelled();
  worked = admit_waiting() || worked;
  worked = decode_tokens() || worked;
  return prefill_one() || worked;
}

bool LlamaCppEngine::drop_cancelled() {
  const std::set<RequestId> ids = cancelled_.take();
  for (const RequestId id : ids) drop(id, cancelled_error());
  return !ids.empty();
}

// Ends a task in any phase, if there is one of this id.
void LlamaCppEngine::drop(RequestId id, const Error& error) {
  bool known = erase_task(waiting_, id) || erase_task(waiting_builds_, id);
  if (find(id) != nullptr) {
    remove(id);
    known = true;
  }
  if (build_ && build_->id() == id) {
    build_.reset();
    known = true;
  }
  if (known) emit(TaskFailed{id, error});
}

void LlamaCppEngine::remove(RequestId id) {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [id](const Running& r) { return r->task.id == id; });
  buffer_.release((*found)->placement.sequence);
  running_.erase(found);
}

RunningGeneration* LlamaCppEngine::find(RequestId id) const {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [id](const Running& r) { return r->task.id == id; });
  return found == running_.end() ? nullptr : found->get();
}

// In order: nobody overtakes the first that waits, or a long prompt would wait for ever.
bool LlamaCppEngine::admit_waiting() {
  bool worked = false;
  while (!waiting_.empty()) {
    GenerationTask& first = waiting_.front();
    const bool valid =
        first.max_tokens > 0 && cuts_are_valid(first.cuts, first.tokens.size(), parts_.settings.batch_tokens());
    const Fit fit = valid ? buffer_.fit(first) : Fit::kNever;
    if (fit == Fit::kLater) break;
    GenerationTask task = std::move(first);
    waiting_.pop_front();
    worked = true;
    if (!valid) {
      emit(TaskFailed{task.id, {ErrorCode::kInternal, "The prompt is not cut into blocks of the engine."}});
    } else if (fit == Fit::kNever) {
      emit(TaskFailed{task.id, {ErrorCode::kContextLengthExceeded, "Prompt and answer do not fit the KV buffer."}});
    } else {
      admit(std::move(task));
    }
  }
  return worked;
}

void LlamaCppEngine::admit(GenerationTask task) {
  restoring_ = task.id;
  Placement placement = buffer_.place(task);
  if (task.prefix) task.prefix->file.reset();
  Sampler sampler(merged(task.sampling, parts_.sampling_defaults), parts_.vocabulary.size(), task.tokens);
  auto generation = std::make_unique<RunningGeneration>(
      RunningGeneration{.task = std::move(task), .placement = std::move(placement), .sampler = std::move(sampler)});
  const std::vector<uint32_t>& cuts = generation->task.cuts;
  generation->done = generation->placement.cache.tokens;
  generation->next_cut =
      static_cast<size_t>(std::upper_bound(cuts.begin(), cuts.end(), generation->done) - cuts.begin());
  generation->started_ms = steady_ms();
  const GenerationStarted started{generation->task.id, generation->placement.cache};
  running_.push_back(std::move(generation));
  emit(started);
}

// -- decoding ------------------------------------------------------------------------------------------------------

bool LlamaCppEngine::decode_tokens() {
  std::vector<RequestId> decoded;
  bool worked = false;
  decoder_.clear();
  std::vector<RequestId> ids;
  for (const Running& generation : running_) ids.push_back(generation->task.id);
  for (const RequestId id : ids) {
    RunningGeneration* generation = find(id);
    if (generation->token && !generation->token_emitted && generation->task.credit > 0) {
      emit_token(*generation);
      worked = true;
      generation = find(id);
    }
    if (generation == nullptr || !generation->ready_to_decode()) continue;
    generation->logits_index = decoder_.add(*generation->token, generation->prompt_tokens() + generation->emitted - 1,
                                            generation->placement.sequence, true);
    decoded.push_back(id);
  }
  if (decoded.empty()) return worked;
  const DecodeOutcome outcome =
      run_decoder(decoded.size() == 1 ? std::optional<RequestId>(decoded.front()) : std::nullopt);
  if (outcome == DecodeOutcome::kDone) {
    sample_decoded(decoded);
  } else {
    fail_all(decoded, outcome);
  }
  return true;
}

void LlamaCppEngine::sample_decoded(const std::vector<RequestId>& decoded) {
  for (const RequestId id : decoded) {
    if (RunningGeneration* generation = find(id)) sample(*generation, generation->logits_index);
  }
}

// The ledger lets nobody in for whom there are no cells; should llama.cpp find none all the same, idle prefixes go
// before a stream does.
DecodeOutcome LlamaCppEngine::run_decoder(std::optional<RequestId> owner) {
  DecodeOutcome outcome = decoder_.run(owner);
  if (outcome == DecodeOutcome::kNoCells) {
    buffer_.drop_idle();
    outcome = decoder_.run(owner);
  }
  return outcome;
}

void LlamaCppEngine::fail_all(const std::vector<RequestId>& ids, DecodeOutcome outcome) {
  const Error error = outcome == DecodeOutcome::kAborted
                          ? cancelled_error()
                          : Error{ErrorCode::kInternal, "The model could not decode the request."};
  for (const RequestId id : ids) drop(id, error);
}

void LlamaCppEngine::sample(RunningGeneration& generation, int32_t logits_index) {
  if (parts_.options.on_logits) parts_.options.on_logits(generation.task.id, decoder_.logits(logits_index));
  generation.token = generation.sampler.sample(parts_.context.get(), logits_index);
  generation.token_emitted = false;
  generation.last_token_ms = steady_ms();
  if (generation.first_token_ms == 0) generation.first_token_ms = generation.last_token_ms;
  if (parts_.vocabulary.is_end_of_generation(*generation.token)) {
    finish(generation.task.id, FinishReason::kStop);
  } else if (generation.task.credit > 0) {
    emit_token(generation);
  }
}

// May end the generation.
void LlamaCppEngine::emit_token(RunningGeneration& generation) {
  const RequestId id = generation.task.id;
  --generation.task.credit;
  ++generation.emitted;
  generation.token_emitted = true;
  const bool goes_on = parts_.sink(TokenGenerated{id, *generation.token, parts_.vocabulary.piece(*generation.token)});
  if (!goes_on) {
    finish(id, FinishReason::kStop);
  } else if (generation.emitted >= generation.task.max_tokens) {
    finish(id, FinishReason::kLength);
  }
}

void LlamaCppEngine::finish(RequestId id, FinishReason reason) {
  const Usage usage = find(id)->usage();
  remove(id);
  emit(GenerationFinished{id, reason, usage});
}

// -- prefill -------------------------------------------------------------------------------------------------------

RunningGeneration* LlamaCppEngine::next_to_prefill() const {
  RunningGeneration* next = nullptr;
  for (const Running& generation : running_) {
    if (generation->prefilling() && (next == nullptr || generation->turn < next->turn)) next = generation.get();
  }
  return next;
}

bool LlamaCppEngine::prefill_one() {
  RunningGeneration* generation = next_to_prefill();
  const bool builds = start_build();
  if (generation == nullptr && !builds) return false;
  if (builds && (generation == nullptr || build_turn_ < generation->turn)) {
    build_turn_ = ++turn_;
    build_block();
  } else {
    generation->turn = ++turn_;
    prefill_block(*generation);
  }
  return true;
}

void LlamaCppEngine::prefill_block(RunningGeneration& generation) {
  const RequestId id = generation.task.id;
  const uint32_t end = generation.task.cuts[generation.next_cut];
  const bool is_last = end == generation.prompt_tokens();
  decoder_.clear();
  decoder_.add_block(std::span(generation.task.tokens).subspan(generation.done, end - generation.done), generation.done,
                     generation.placement.sequence, is_last);
  const DecodeOutcome outcome = run_decoder(id);
  if (outcome != DecodeOutcome::kDone) return fail_all({id}, outcome);
  generation.done = end;
  ++generation.next_cut;
  emit(PrefillProgress{id, end, generation.prompt_tokens()});
  if (is_last) sample(generation, -1);
}

// -- states --------------------------------------------------------------------------------------------------------

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
      build_ = std::move(*build);
      build_turn_ = turn_;
    } else {
      emit(TaskFailed{id, build.error()});
    }
  }
  return build_ != nullptr;
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

}  // namespace rockllama
