// LlamaCppEngine: one decode call for all running generations, and prefill block by block.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "engines/llama_cpp/engine_loop.h"
#include "engines/llama_cpp/logprobs.h"

namespace rockllama {

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
    RunningGeneration* generation = find(id);
    if (generation == nullptr) continue;
    generation->decoded.push_back(*generation->token);
    sample(*generation, generation->logits_index);
  }
}

// The ledger lets nobody in for whom there are no cells; should llama.cpp find none all the same, residents go
// before a stream does.
DecodeOutcome LlamaCppEngine::run_decoder(std::optional<RequestId> owner) {
  DecodeOutcome outcome = decoder_.run(owner);
  if (outcome == DecodeOutcome::kNoCells) {
    buffer_.drop_residents();
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
  const Result<int32_t> token = generation.sampler.sample(decoder_.logits(logits_index));
  if (!token) return drop(generation.task.id, token.error());
  generation.token = *token;
  generation.logprobs = logprobs_of(generation, logits_index);
  generation.token_emitted = false;
  generation.last_token_ms = steady_ms();
  if (generation.first_token_ms == 0) generation.first_token_ms = generation.last_token_ms;
  if (parts_.vocabulary.is_end_of_generation(*generation.token)) {
    finish(generation.task.id, FinishReason::kStop);
  } else if (generation.task.credit > 0) {
    emit_token(generation);
  }
}

std::string LlamaCppEngine::text_of(const RunningGeneration& generation) const {
  const int32_t token = *generation.token;
  const bool preserved =
      std::find(generation.preserved.begin(), generation.preserved.end(), token) != generation.preserved.end();
  return preserved ? parts_.vocabulary.name(token) : parts_.vocabulary.piece(token);
}

std::optional<TokenLogprobs> LlamaCppEngine::logprobs_of(const RunningGeneration& generation, int32_t logits_index) {
  if (!generation.task.top_logprobs) return std::nullopt;
  const LogprobRanking ranking =
      rank_logprobs(decoder_.logits(logits_index), *generation.token, *generation.task.top_logprobs);
  const auto named = [this](const RankedToken& ranked) {
    return TokenLogprob{parts_.vocabulary.name(ranked.token), ranked.logprob};
  };
  TokenLogprobs logprobs{named(ranking.chosen)};
  for (const RankedToken& ranked : ranking.top) logprobs.top.push_back(named(ranked));
  return logprobs;
}

// May end the generation.
void LlamaCppEngine::emit_token(RunningGeneration& generation) {
  const RequestId id = generation.task.id;
  --generation.task.credit;
  ++generation.emitted;
  generation.token_emitted = true;
  const bool goes_on =
      parts_.sink(TokenGenerated{id, *generation.token, text_of(generation), std::move(generation.logprobs)});
  if (!goes_on) {
    finish(id, FinishReason::kStop);
  } else if (generation.emitted >= generation.task.max_tokens) {
    finish(id, FinishReason::kLength);
  }
}

void LlamaCppEngine::finish(RequestId id, FinishReason reason) {
  const Usage usage = find(id)->usage();
  emit(GenerationFinished{id, reason, usage});
  remove(id, true);  // may copy other prefixes to memory, for which the client need not wait
}

// -- prefill -------------------------------------------------------------------------------------------------------

std::vector<RunningGeneration*> LlamaCppEngine::prefilling() const {
  std::vector<RunningGeneration*> generations;
  for (const Running& one : running_) {
    if (one->prefilling()) generations.push_back(one.get());
  }
  std::stable_sort(generations.begin(), generations.end(),
                   [](const auto* a, const auto* b) { return a->turn < b->turn; });
  return generations;
}

bool LlamaCppEngine::prefill_some() {
  const std::vector<RunningGeneration*> generations = prefilling();
  const bool builds = start_build();
  if (embed_some(!generations.empty() || builds)) return true;
  if (generations.empty() && !builds) return false;
  if (builds && (generations.empty() || build_turn_ < generations.front()->turn)) {
    build_turn_ = ++turn_;
    build_block();
  } else {
    prefill_blocks(generations);
  }
  return true;
}

// Takes turns with what prefills.
bool LlamaCppEngine::embed_some(bool others_prefill) {
  if (embedder_.idle() || (others_prefill && std::exchange(embedded_last_, false))) return false;
  embedded_last_ = true;
  emit(embedder_.work());
  return true;
}

// A block of the first, and of each other one as far as the call takes them: what starts together goes together.
void LlamaCppEngine::prefill_blocks(const std::vector<RunningGeneration*>& generations) {
  std::vector<PrefillBlock> blocks;
  std::vector<RequestId> ids;
  decoder_.clear();
  for (RunningGeneration* generation : generations) {
    const uint32_t done = generation->done;
    const uint32_t end = generation->task.cuts[generation->next_cut];
    if (!blocks.empty() && decoder_.room() < end - done) continue;
    generation->turn = ++turn_;
    const int32_t last = decoder_.add_block(std::span(generation->task.tokens).subspan(done, end - done), done,
                                            generation->placement.sequence, end == generation->prompt_tokens());
    blocks.push_back({generation, end, last});
    ids.push_back(generation->task.id);
  }
  const double tokens = decoder_.capacity() - decoder_.room();
  const double begin = steady_ms();
  const DecodeOutcome outcome = run_decoder(ids.size() == 1 ? std::optional<RequestId>(ids.front()) : std::nullopt);
  if (outcome != DecodeOutcome::kDone) return fail_all(ids, outcome);
  speeds_.prefill_tokens.add(tokens, steady_ms() - begin);
  for (const PrefillBlock& block : blocks) take_block(block);
}

// May end the generation.
void LlamaCppEngine::take_block(const PrefillBlock& block) {
  RunningGeneration& generation = *block.generation;
  Placement& placement = generation.placement;
  if (placement.at_cell_zero && placement.exact_tokens == generation.done) placement.exact_tokens = block.end;
  generation.done = block.end;
  ++generation.next_cut;
  emit(PrefillProgress{generation.task.id, block.end, generation.prompt_tokens()});
  if (!generation.prefilling()) sample(generation, block.last_index);
}

}  // namespace rockllama
