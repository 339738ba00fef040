// The KV buffer of the engine's context: puts prompts in it so that they share resident prefixes, and so that a request
// that runs alone finds its prefix at cell 0 and nothing else (docs/architecture.md, "Same pieces, same bits").
// Used on the engine's thread.
#pragma once

#include <llama.h>

#include <functional>
#include <string>

#include "domain/generation.h"
#include "engine/engine.h"
#include "engines/llama_cpp/kv_ledger.h"
#include "engines/llama_cpp/state_payload.h"

namespace rockllama {

// Where a generation is in the buffer. cache.tokens tokens of it are there already.
struct Placement {
  int32_t sequence = 0;
  CacheUse cache;
};

class KvBuffer {
 public:
  // Called before a state is restored, with its id.
  using BeforeRestore = std::function<void(const std::string& state_id)>;

  // `context` outlives this and holds nothing.
  KvBuffer(llama_context* context, const LedgerLimits& limits, const StateLayout& layout, BeforeRestore before_restore);

  [[nodiscard]] Fit fit(const GenerationTask& task) const;
  // Of a task that fits now. A state that cannot serve is no failure: the prompt is then prefilled from the text.
  [[nodiscard]] Placement place(const GenerationTask& task);
  // Frees the cells of a generation; what it shared stays resident, as long as it is one of the last used.
  void release(int32_t sequence);
  // Frees everything that no running generation needs.
  void drop_idle();

 private:
  [[nodiscard]] std::string unusable_reason(const GenerationTask& task) const;
  [[nodiscard]] CellRequest cell_request(const GenerationTask& task) const;
  [[nodiscard]] Placement place_text(const GenerationTask& task, std::string reason);
  [[nodiscard]] Placement place_over(const GenerationTask& task, const Resident& resident);
  void clear_for(const std::string& state_id, bool restorable);
  [[nodiscard]] Status restore(const PrefixState& prefix);
  void free_sequences(const std::vector<int32_t>& sequences);

  llama_context* context_;
  llama_memory_t memory_;
  KvLedger ledger_;
  StateLayout layout_;
  BeforeRestore before_restore_;
};

}  // namespace rockllama
