// The KV buffer of the engine's context: puts prompts in it so that they share resident prefixes, and so that a request
// that runs alone finds its prefix at cell 0 and nothing else (docs/architecture.md, "Same pieces, same bits"). What a
// generation leaves behind becomes an automatic prefix; prefixes that leave the buffer are copied to memory.
// Used on the engine's thread.
#pragma once

#include <llama.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "domain/generation.h"
#include "engine/engine.h"
#include "engines/llama_cpp/automatic_prefixes.h"
#include "engines/llama_cpp/engine_speeds.h"
#include "engines/llama_cpp/kv_ledger.h"
#include "engines/llama_cpp/prefix_choice.h"
#include "engines/llama_cpp/state_payload.h"
#include "engines/llama_cpp/state_restore.h"

namespace rockllama {

// Where a generation is in the buffer. cache.tokens tokens of it are there already.
struct Placement {
  int32_t sequence = 0;
  CacheUse cache;
  std::vector<uint32_t> cuts{};  // ends of the pieces of the prompt: those in the buffer, then those to be decoded
  uint32_t generated_from = 0;   // see AutomaticPrefix; these two grow or stay as the prompt is prefilled
  uint32_t exact_tokens = 0;
  bool at_cell_zero = false;  // it has the cells from 0 on, in order, as long as it runs alone
};

struct KvBufferSettings {
  LedgerLimits limits;
  uint32_t block_tokens = 1;
  StateLayout layout;
  AutomaticSettings automatic;
};

class KvBuffer {
 public:
  struct Hooks {
    std::function<void(const std::string& state_id)> before_restore;  // of a state from a file
    std::function<void(const PrefixOffered&)> offer;
  };
  // `context` and `speeds` outlive this; the context holds nothing.
  KvBuffer(llama_context* context, const KvBufferSettings& settings, EngineSpeeds* speeds, Hooks hooks);
  KvBuffer(const KvBuffer&) = delete;
  KvBuffer& operator=(const KvBuffer&) = delete;

  struct Admission {
    Fit fit = Fit::kLater;
    bool follows = false;  // a running generation prefills what the task needs, too: wait for that, whatever fits
    PrefixChoice choice{};
  };
  // `running`: the generations in the buffer.
  [[nodiscard]] Admission consider(const GenerationTask& task, std::span<const RunningPrefix> running) const;
  // Of a task that fits now, with the choice that consider() made of it just before. A prefix that cannot serve is no
  // failure: the prompt is then prefilled from the text.
  [[nodiscard]] Placement place(const GenerationTask& task, const PrefixChoice& choice);
  // Ends a generation and frees its cells; what it shared stays resident, as long as it is one of the last used.
  void release(int32_t sequence);
  // Ends a generation; its cells, those of `prefix.tokens`, become an automatic prefix.
  void keep(int32_t sequence, AutomaticPrefix prefix, bool at_cell_zero);
  // Every resident prefix leaves.
  void drop_residents();
  // Copies one resident prefix that has no copy yet to memory; false when there is nothing to copy.
  bool copy_one();

  [[nodiscard]] AutomaticPrefixes& automatic() { return automatic_; }
  [[nodiscard]] const KvLedger& ledger() const { return ledger_; }
  // Counts and bytes of idle prefixes; the speeds stay 0.
  [[nodiscard]] EngineFigures figures() const;

 private:
  [[nodiscard]] Placement place_chosen(const GenerationTask& task, const PrefixChoice& choice);
  [[nodiscard]] Placement place_text(const GenerationTask& task, std::string reason);
  [[nodiscard]] Placement place_over(const GenerationTask& task, const PrefixChoice& choice);
  [[nodiscard]] Placement place_beside(const GenerationTask& task, const PrefixChoice& choice);
  void describe_pieces(const GenerationTask& task, const PrefixChoice& choice, Placement* placement) const;
  void clear_for(const PrefixChoice& choice);
  void make_room(uint32_t cells, size_t sequences, const std::string& keep);
  [[nodiscard]] bool can_return(const Resident& resident, const PrefixChoice& choice);
  [[nodiscard]] Status restore(const GenerationTask& task, const PrefixChoice& choice);
  [[nodiscard]] Status restore_from_memory(const StateTarget& target, uint64_t id);
  [[nodiscard]] Status restore_from_file(const StateTarget& target, const PrefixState& prefix);
  bool copy_to_memory(const Resident& resident);
  void leave(const std::string& id);
  void leave_idle();
  void remove(const std::string& id);

  llama_context* context_;
  llama_memory_t memory_;
  KvBufferSettings settings_;
  EngineSpeeds* speeds_;
  Hooks hooks_;
  KvLedger ledger_;
  AutomaticPrefixes automatic_;
};

}  // namespace rockllama
