#include "engines/llama_cpp/embedder.h"

#include <algorithm>
#include <utility>

namespace rockllama {
namespace {

// Of a call. llama.cpp gives as many rows of logits beside the hidden states, so larger calls cost memory.
constexpr uint32_t kCallTokens = 64;
constexpr uint32_t kCallSequences = 16;
// A context for longer inputs is not kept.
constexpr uint32_t kKeptCells = 1024;

}  // namespace

Embedder::Embedder(llama_model* model, const EmbeddingSettings& settings, uint32_t threads, CancelSet* cancelled)
    : model_(model),
      threads_(threads),
      cancelled_(cancelled),
      pooling_(model_pooling(model, settings.pooling)),
      pooler_(pooling_.value_or(Pooling::kMean), settings.normalize) {}

void Embedder::add(EmbeddingTask task) {
  Work work{.task = std::move(task)};
  for (const auto& input : work.task.inputs) work.total_tokens += static_cast<uint32_t>(input.size());
  waiting_.push_back(std::move(work));
}

bool Embedder::drop(RequestId id) {
  return std::erase_if(waiting_, [id](const Work& work) { return work.task.id == id; }) != 0;
}

EngineEvent Embedder::work() {
  Work& work = waiting_.front();
  const RequestId id = work.task.id;
  if (Status ready = make_ready(work); !ready) return end(ready.error());
  const std::vector<Piece> pieces = fill(work);
  if (Status decoded = decode(id); !decoded) return end(decoded.error());
  for (size_t i = 0; i < pieces.size(); ++i) take(pieces[i], static_cast<int32_t>(i), &work);
  if (work.input < work.task.inputs.size()) {
    return PrefillProgress{id, work.made.prompt_tokens, work.total_tokens};
  }
  EmbeddingsMade made{id, std::move(work.made)};
  waiting_.pop_front();
  leave_context();
  return made;
}

// A task begins with an empty context that is large enough for its longest input.
Status Embedder::make_ready(const Work& work) {
  if (!pooling_) return fail(pooling_.error());
  if (work.made.prompt_tokens != 0) return {};
  static_cast<void>(pooler_.take());
  size_t longest = 0;
  for (const auto& input : work.task.inputs) longest = std::max(longest, input.size());
  const uint32_t cells = static_cast<uint32_t>(longest) + kCallTokens;
  if (context_ && cells_ >= cells) {
    llama_memory_clear(llama_get_memory(context_.get()), false);
    return {};
  }
  leave_context();
  Result<LlamaContext> context = make_context(model_, {.cells = cells,
                                                       .sequences = kCallSequences,
                                                       .batch_tokens = kCallTokens,
                                                       .threads = threads_,
                                                       .embeddings = true});
  if (!context) return fail(context.error());
  cells_ = cells;
  context_ = std::move(*context);
  decoder_ = std::make_unique<Decoder>(context_.get(), cancelled_);
  return {};
}

void Embedder::leave_context() {
  if (cells_ <= kKeptCells) return;
  decoder_.reset();
  context_.reset();
  cells_ = 0;
}

// Only the first may go on from an earlier call, or end in a later one.
std::vector<Embedder::Piece> Embedder::fill(const Work& work) {
  std::vector<Piece> pieces;
  decoder_->clear();
  for (size_t i = work.input; i < work.task.inputs.size() && pieces.size() < kCallSequences; ++i) {
    const std::vector<int32_t>& input = work.task.inputs[i];
    const uint32_t begin = pieces.empty() ? work.begun : 0;
    const auto left = static_cast<uint32_t>(input.size()) - begin;
    if (!pieces.empty() && left > decoder_->room()) break;
    const uint32_t tokens = std::min(left, decoder_->room());
    const auto first_index = static_cast<int32_t>(decoder_->capacity() - decoder_->room());
    const auto sequence = static_cast<int32_t>(pieces.size());
    for (uint32_t at = begin; at < begin + tokens; ++at) decoder_->add(input[at], at, sequence, true);
    pieces.push_back({first_index, tokens, tokens == left});
  }
  return pieces;
}

Status Embedder::decode(RequestId id) {
  switch (decoder_->run(id)) {
    case DecodeOutcome::kDone:
      return {};
    case DecodeOutcome::kAborted:
      return fail(cancelled_error());
    default:
      return fail(ErrorCode::kInternal, "The model could not decode the input.");
  }
}

void Embedder::take(const Piece& piece, int32_t sequence, Work* work) {
  const auto width = static_cast<size_t>(llama_model_n_embd_out(model_));
  for (uint32_t i = 0; i < piece.tokens; ++i) {
    const float* row = llama_get_embeddings_ith(context_.get(), piece.first_index + static_cast<int32_t>(i));
    pooler_.add({row, width}, width);
  }
  work->made.prompt_tokens += piece.tokens;
  work->begun += piece.tokens;
  if (!piece.ends_input) return;
  llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, -1, -1);
  work->made.vectors.push_back(pooler_.take());
  work->begun = 0;
  ++work->input;
}

EngineEvent Embedder::end(const Error& error) {
  const RequestId id = waiting_.front().task.id;
  waiting_.pop_front();
  leave_context();
  return TaskFailed{id, error};
}

}  // namespace rockllama
