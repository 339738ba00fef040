#include "engines/llama_cpp/decoder.h"

#include "tokenizer/llama_log.h"

namespace rockllama {
namespace {

// llama.cpp reports a call that was broken off as four lines of errors.
bool abort_wanted(void* cancelled) {
  const bool wanted = static_cast<const CancelSet*>(cancelled)->should_abort();
  if (wanted) mute_llama_log(true);
  return wanted;
}

DecodeOutcome outcome_of(int32_t returned) {
  switch (returned) {
    case 0:
      return DecodeOutcome::kDone;
    case 1:
      return DecodeOutcome::kNoCells;
    case 2:
      return DecodeOutcome::kAborted;
    default:
      return DecodeOutcome::kFailed;
  }
}

}  // namespace

Decoder::Decoder(llama_context* context, CancelSet* cancelled)
    : context_(context),
      cancelled_(cancelled),
      capacity_(llama_n_batch(context)),
      batch_(llama_batch_init(static_cast<int32_t>(capacity_), 0, 1)) {
  llama_set_abort_callback(context, abort_wanted, cancelled);
}

Decoder::~Decoder() { llama_batch_free(batch_); }

int32_t Decoder::add(int32_t token, uint32_t position, int32_t sequence, bool wants_logits) {
  const int32_t index = batch_.n_tokens++;
  batch_.token[index] = token;
  batch_.pos[index] = static_cast<llama_pos>(position);
  batch_.n_seq_id[index] = 1;
  batch_.seq_id[index][0] = sequence;
  batch_.logits[index] = wants_logits ? 1 : 0;
  return index;
}

int32_t Decoder::add_block(std::span<const int32_t> tokens, uint32_t position, int32_t sequence, bool wants_logits) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    add(tokens[i], position + static_cast<uint32_t>(i), sequence, wants_logits && i + 1 == tokens.size());
  }
  return batch_.n_tokens - 1;
}

DecodeOutcome Decoder::run(std::optional<RequestId> owner) {
  if (owner) cancelled_->begin_decode(*owner);
  const int32_t returned = llama_decode(context_, batch_);
  // The CPU computes within the call, but the API allows the rest of it to be put off until here.
  if (returned == 0) llama_synchronize(context_);
  cancelled_->end_decode();
  mute_llama_log(false);
  return outcome_of(returned);
}

std::span<const float> Decoder::logits(int32_t index) const {
  const llama_vocab* vocab = llama_model_get_vocab(llama_get_model(context_));
  return {llama_get_logits_ith(context_, index), static_cast<size_t>(llama_vocab_n_tokens(vocab))};
}

}  // namespace rockllama
