// Embeddings over llama.cpp, in a context of its own that gives each token's hidden state: several inputs go into one
// decode call, each a sequence; a longer one goes block by block. Used on the engine's thread.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/result.h"
#include "domain/model.h"
#include "engine/engine.h"
#include "engine/pooling.h"
#include "engines/llama_cpp/decoder.h"
#include "engines/llama_cpp/llama_model.h"

namespace rockllama {

class Embedder {
 public:
  // `model` and `cancelled` outlive this.
  Embedder(llama_model* model, const EmbeddingSettings& settings, uint32_t threads, CancelSet* cancelled);

  void add(EmbeddingTask task);
  // False where there is no such task.
  bool drop(RequestId id);
  [[nodiscard]] bool idle() const { return waiting_.empty(); }
  // One decode call for the first task, not when idle. What came of it: PrefillProgress, or the task's last event.
  [[nodiscard]] EngineEvent work();

 private:
  struct Work {
    EmbeddingTask task;
    size_t input = 0;    // the next one
    uint32_t begun = 0;  // tokens of it that are decoded
    Embeddings made{};
    uint32_t total_tokens = 0;
  };
  // Tokens of an input in the call.
  struct Piece {
    int32_t first_index;  // in the batch
    uint32_t tokens;
    bool ends_input;
  };
  [[nodiscard]] Status make_ready(const Work& work);
  [[nodiscard]] std::vector<Piece> fill(const Work& work);
  [[nodiscard]] Status decode(RequestId id);
  void take(const Piece& piece, int32_t sequence, Work* work);
  [[nodiscard]] EngineEvent end(const Error& error);
  void leave_context();

  llama_model* model_;
  uint32_t threads_;
  CancelSet* cancelled_;
  Result<Pooling> pooling_;
  Pooler pooler_;
  std::deque<Work> waiting_;
  uint32_t cells_ = 0;
  LlamaContext context_;
  std::unique_ptr<Decoder> decoder_;  // after its context
};

}  // namespace rockllama
