// What server and worker say to each other. One struct per message; codec.h turns them into frames and back.
// Descriptors travel beside a frame (SCM_RIGHTS): start_generation may bring a state to restore, save_state brings the
// file to fill, lend the one to begin from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "domain/generation.h"
#include "domain/model.h"
#include "domain/prompt_cache.h"
#include "domain/question.h"

namespace rockllama::protocol {

// Raised by every change of a message. Both sides must be of one build; a mismatch ends the worker.
inline constexpr uint32_t kVersion = 8;
// A frame over this size is garbage. Prompts are bounded by the HTTP body limit (16 MiB by default, at most 64).
inline constexpr uint32_t kMaxFrameBytes = 128u << 20;

// -- server to worker --------------------------------------------------------------------------------------------

// First frame in each direction.
struct Hello {
  uint32_t version = kVersion;
  bool operator==(const Hello&) const = default;
};

// Second frame; the worker answers Loaded or LoadFailed.
struct Load {
  ModelSpec spec;
  bool operator==(const Load&) const = default;
};

// Render, tokenize, count, plan. The answer is Prepared or Failed. Runs beside decoding.
struct Prepare {
  RequestId id = 0;
  Prompt prompt;
  GenerationOptions options;
  std::vector<CacheReference> caches;
  Hash128 salt{};  // of the caller: automatic states of others are not for it; zero = no API keys
  bool operator==(const Prepare&) const = default;
};

// Run what was prepared. A descriptor that comes with it is the payload of Prepared::state.
struct Start {
  RequestId id = 0;
  uint32_t credit = 0;  // tokens that may be sent before more credit comes
  bool operator==(const Start&) const = default;
};

// Forget a request in any phase, a save_state or a question. No further event comes after Failed{kCancelled} or
// Finished; an unknown id is ignored.
struct Cancel {
  RequestId id = 0;
  bool operator==(const Cancel&) const = default;
};

struct Credit {
  RequestId id = 0;
  uint32_t tokens = 0;
  bool operator==(const Credit&) const = default;
};

// Prefill the last of `line` behind the others in the rendering `format`, in a context of its own and write the state
// into the descriptor. Progress events, then StateSaved or Failed.
struct SaveState {
  RequestId id = 0;
  StateFormat format = StateFormat::kChat;
  CacheLine line;
  bool operator==(const SaveState&) const = default;
};

// The state of what the line of the next save_state with this id continues: so only the rest is prefilled. Comes with
// its payload; one that does not fit is no failure.
struct Lend {
  RequestId id = 0;
  StateKey state;
  bool operator==(const Lend&) const = default;
};

// Which states exist as files now. The first of a life has `reset`; later ones tell what changed.
struct KnownStates {
  bool reset = false;                  // forget all before
  std::vector<std::string> removed{};  // ids
  std::vector<KnownState> added{};
  bool operator==(const KnownStates&) const = default;
};

// The answer to Offered: write the state into the descriptor that comes with it (StateSaved or Failed follows under
// `id`), or, without a descriptor, let it go.
struct Keep {
  RequestId id = 0;
  uint64_t offer = 0;
  bool operator==(const Keep&) const = default;
};

// The answer is Answered or Failed; Progress events before it.
struct Ask {
  RequestId id = 0;
  Question question;
  bool operator==(const Ask&) const = default;
};

// End in good order; the worker exits 0.
struct Shutdown {
  bool operator==(const Shutdown&) const = default;
};

using Command =
    std::variant<Hello, Load, Prepare, Start, Cancel, Credit, SaveState, KnownStates, Keep, Lend, Ask, Shutdown>;

// -- worker to server --------------------------------------------------------------------------------------------

struct Loaded {
  LoadedModel model;
  bool operator==(const Loaded&) const = default;
};

struct LoadFailed {
  std::string message;
  bool operator==(const LoadFailed&) const = default;
};

struct Prepared {
  RequestId id = 0;
  uint32_t prompt_tokens = 0;
  int32_t max_tokens = 0;       // as asked, lowered to the room left
  uint32_t prefill_tokens = 0;  // what is left to prefill if the state serves
  CacheUse cache;               // name, and the reason where no state can serve; tier and tokens come with Started
  std::vector<StateKey> state;  // none or one: the state to restore; give its file to Start unless it cannot be had
  bool state_outdated = false;  // the reference had a state of other tokens: this cache must be rebuilt
  bool operator==(const Prepared&) const = default;
};

// A restore of this state begins now on the engine's thread: if the worker dies before the next event of the same
// id, the state is to blame.
struct Restoring {
  RequestId id = 0;
  std::string state_id;
  bool operator==(const Restoring&) const = default;
};

struct Started {
  RequestId id = 0;
  CacheUse cache;
  bool operator==(const Started&) const = default;
};

// Prefill of a generation, a save_state or a question goes on.
struct Progress {
  RequestId id = 0;
  uint32_t done_tokens = 0;
  uint32_t total_tokens = 0;
  bool operator==(const Progress&) const = default;
};

// Stop strings are cut off already; empty when a token is held back.
struct Tokens {
  RequestId id = 0;
  uint32_t count = 0;  // tokens that were generated for it
  AnswerPiece piece;
  bool operator==(const Tokens&) const = default;
};

struct Finished {
  RequestId id = 0;
  FinishReason reason = FinishReason::kStop;
  Usage usage;
  std::optional<CacheUse> cache{};  // what came of it, where Started could only say it provisionally
  bool operator==(const Finished&) const = default;
};

struct Failed {
  RequestId id = 0;
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string param;
  bool operator==(const Failed&) const = default;
};

struct StateSaved {
  RequestId id = 0;
  SavedState state;
  bool operator==(const StateSaved&) const = default;
};

struct Answered {
  RequestId id = 0;
  Answer answer;
  bool operator==(const Answered&) const = default;
};

// An automatic state is about to be let go and may be worth a file. Answered by Keep.
struct Offered {
  uint64_t offer = 0;
  KnownState state;    // key.id is empty: the server names it
  uint64_t bytes = 0;  // of the payload
  double value = 0;    // see domain/prefix_value.h
  bool operator==(const Offered&) const = default;
};

// After each request and whenever idle prefixes moved.
struct Figures {
  EngineFigures figures;
  bool operator==(const Figures&) const = default;
};

using Event = std::variant<Hello, Loaded, LoadFailed, Prepared, Restoring, Started, Progress, Tokens, Finished, Failed,
                           StateSaved, Answered, Offered, Figures>;

}  // namespace rockllama::protocol
