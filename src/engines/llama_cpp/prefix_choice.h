// Which prefix a request starts from: the state that `prepare` found for it, or an automatic prefix that saves more.
// Used on the engine's thread.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "engines/llama_cpp/automatic_prefixes.h"
#include "engines/llama_cpp/kv_ledger.h"

namespace rockllama {

struct PrefixChoice {
  std::string resident_id{};  // under which the buffer has it or will; empty = none, the prompt is prefilled whole
  uint32_t state_tokens = 0;
  uint32_t reuse_tokens = 0;
  uint64_t automatic = 0;   // the automatic prefix; 0 = the task's own state
  bool restorable = false;  // can be brought in where it is not resident
  std::string reason{};     // why not all of the task's own state is reused
};

[[nodiscard]] CellRequest cell_request(const GenerationTask& task, const PrefixChoice& choice);

// An automatic prefix is taken only where it fits beside what runs now.
[[nodiscard]] PrefixChoice choose_prefix(const GenerationTask& task, const KvLedger& ledger,
                                         const AutomaticPrefixes& automatic, bool whole_only);

}  // namespace rockllama
