// Makes one state: prefills a prefix block by block in a context of its own, from cell 0, so that its bits do not
// depend on what else the engine does, and writes the payload. Used on the engine's thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "domain/prompt_cache.h"
#include "engine/engine.h"
#include "engines/llama_cpp/decoder.h"
#include "engines/llama_cpp/llama_model.h"
#include "engines/llama_cpp/state_payload.h"

namespace rockllama {

class StateBuilder {
 public:
  // `settings` are those of the engine's own context. kInternal where there is no memory for another one,
  // kInvalidArgument for cuts that are none. `cancelled` outlives this.
  [[nodiscard]] static Result<std::unique_ptr<StateBuilder>> make(llama_model* model, ContextSettings settings,
                                                                  SaveStateTask task, CancelSet* cancelled);

  [[nodiscard]] RequestId id() const { return task_.id; }
  [[nodiscard]] uint32_t done_tokens() const { return done_; }
  [[nodiscard]] uint32_t total_tokens() const { return static_cast<uint32_t>(task_.tokens.size()); }

  // The id of the state that it may begin from; empty = none.
  [[nodiscard]] std::string base_id() const { return task_.base ? task_.base->key.id : std::string(); }
  // Puts that state into the context. A broken one is no failure: all is prefilled then. Before the first block.
  void restore_base(const StateLayout& layout);
  // Decodes the next block. kCancelled when it was broken off, kInternal where the model cannot decode it.
  [[nodiscard]] Status prefill_block();
  // After the last block: writes the payload into the task's file. kNoSpace, kIo, kInternal.
  [[nodiscard]] Result<SavedState> write();

 private:
  StateBuilder(LlamaContext context, SaveStateTask task, CancelSet* cancelled);

  SaveStateTask task_;
  LlamaContext context_;
  Decoder decoder_;
  uint32_t done_ = 0;
  size_t next_cut_ = 0;
  double began_ms_ = 0;
  double prefill_ms_ = 0;
  double first_token_ms_ = 0;
};

}  // namespace rockllama
