// One decode call of llama.cpp at a time: fill a batch, run it, read the logits. Used on the engine's thread.
#pragma once

#include <llama.h>

#include <cstdint>
#include <optional>
#include <span>

#include "engines/llama_cpp/cancel_set.h"

namespace rockllama {

enum class DecodeOutcome : uint8_t {
  kDone,
  kNoCells,  // nothing changed
  kAborted,  // the only request of the call was cancelled; its cells of this call are free again
  kFailed,
};

class Decoder {
 public:
  // `cancelled` may break off calls of one request; it and `context` outlive this.
  Decoder(llama_context* context, CancelSet* cancelled);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Tokens that a call can take.
  [[nodiscard]] uint32_t capacity() const { return capacity_; }
  [[nodiscard]] uint32_t room() const { return capacity_ - static_cast<uint32_t>(batch_.n_tokens); }
  void clear() { batch_.n_tokens = 0; }
  // Returns the index of the token in the batch: where its logits are read after run().
  int32_t add(int32_t token, uint32_t position, int32_t sequence, bool wants_logits);
  // A piece of one sequence; logits only for its last token, if wanted. Returns the index of that one.
  int32_t add_block(std::span<const int32_t> tokens, uint32_t position, int32_t sequence, bool wants_logits);
  // `owner`: the request that the whole batch belongs to, if it is one.
  [[nodiscard]] DecodeOutcome run(std::optional<RequestId> owner);
  // Of the last call; valid until the next.
  [[nodiscard]] std::span<const float> logits(int32_t index) const;

 private:
  llama_context* context_;
  CancelSet* cancelled_;
  uint32_t capacity_;
  llama_batch batch_;
};

}  // namespace rockllama
