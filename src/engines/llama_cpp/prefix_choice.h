// Which prefix a request starts from: the state that `prepare` found for it, an automatic prefix that saves more, or
// what a running request has in common with it and has prefilled. Used on the engine's thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/engine.h"
#include "engines/llama_cpp/automatic_prefixes.h"
#include "engines/llama_cpp/kv_ledger.h"

namespace rockllama {

// The prompt of a running generation.
struct RunningPrefix {
  int32_t sequence = 0;
  std::span<const int32_t> tokens;
  std::span<const uint32_t> cuts;
  uint32_t done = 0;  // tokens that are in the buffer
  Hash128 salt{};
};

struct PrefixChoice {
  std::string resident_id{};  // under which the buffer has it or will; empty = none, the prompt is prefilled whole
  uint32_t state_tokens = 0;
  uint32_t reuse_tokens = 0;
  uint64_t automatic = 0;   // the automatic prefix; 0 = the task's own state
  int32_t running = -1;     // the sequence of the running generation that it shares cells with; -1 = none
  bool restorable = false;  // can be brought in where it is not resident
  std::string reason{};     // why not all of the task's own state is reused
};

[[nodiscard]] CellRequest cell_request(const GenerationTask& task, const PrefixChoice& choice);

// An automatic prefix is taken only where it fits beside what runs now.
[[nodiscard]] PrefixChoice choose_prefix(const GenerationTask& task, const KvLedger& ledger,
                                         const AutomaticPrefixes& automatic, bool whole_only);

// A request over a prefix that another one prefills right now waits for it, rather than prefill the same.
struct FollowChoice {
  PrefixChoice choice{};  // shares cells that are there now; `running` is -1 where nobody has more of them than `own`
  bool wait = false;      // somebody will have more than that
};
// Whole pieces that both plans share, of the same salt. Cells that were made beside others are not for requests that
// ask for exact bits.
[[nodiscard]] FollowChoice choose_running(const GenerationTask& task, std::span<const RunningPrefix> running,
                                          const PrefixChoice& own);

}  // namespace rockllama
