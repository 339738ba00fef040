// The interface of everything that generates tokens. An Engine is owned and driven by one thread of the worker (the
// engine thread): all but cancel are called there. cancel may come from any thread.
//
// Asynchronous: start, save_state and embed only queue; step does the work and calls the sink, on the engine thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "domain/answer_grammar.h"
#include "domain/generation.h"
#include "domain/model.h"
#include "domain/prompt_cache.h"
#include "domain/question.h"

namespace rockllama {

// A saved prefix that a generation may start from.
struct PrefixState {
  StateKey key;
  uint32_t reuse_tokens = 0;  // at most key.tokens; what lies behind it is dropped. Of a named one a cut of the plan
  UniqueFd file{};            // the payload; invalid = only a resident copy can serve
  bool automatic = false;     // of a conversation: serves at any point, also over generated tokens
};

struct GenerationTask {
  RequestId id = 0;
  std::vector<int32_t> tokens{};  // the whole prompt, at least one
  std::vector<uint32_t> cuts{};   // ends of the prefill blocks, ascending; the last is tokens.size()
  std::string cache_name{};       // of the named cache that the prompt resolved to, or empty
  std::string no_state_reason{};  // why `prefix` is empty although there is a cache
  std::optional<PrefixState> prefix{};
  ReusePolicy reuse = ReusePolicy::kAll;
  Hash128 salt{};  // of the caller: only automatic prefixes of the same are reused
  SamplingParams sampling{};
  AnswerGrammar grammar{};  // rules are empty where any text will do, and where the engine has no grammars
  std::vector<std::string> preserved_tokens{};  // control tokens whose text belongs to the answer
  std::optional<uint32_t> top_logprobs{};       // as in GenerationOptions
  uint32_t max_tokens = 0;                      // at least 1; prompt and answer fit the context limit
  uint32_t credit = 0;                          // tokens that may be emitted before add_credit
  bool enable_thinking = false;                 // of a chat, for runtimes that render it themselves
};

struct SaveStateTask {
  RequestId id = 0;
  std::vector<int32_t> tokens{};
  std::vector<uint32_t> cuts{};  // the last is tokens.size()
  UniqueFd file{};               // written from its beginning
  // What the first of these tokens may be restored from, whole; an engine may prefill them all the same.
  std::optional<PrefixState> base{};
};

// A vector for each input: what its tokens' hidden states come to by the settings of the model.
struct EmbeddingTask {
  RequestId id = 0;
  std::vector<std::vector<int32_t>> inputs{};  // none of them empty or longer than the model's context
};

struct RestoreBegins {
  RequestId id = 0;
  std::string state_id;
};
struct GenerationStarted {
  RequestId id = 0;
  CacheUse cache;
};
struct PrefillProgress {
  RequestId id = 0;
  uint32_t done_tokens = 0;
  uint32_t total_tokens = 0;
};
struct TokenGenerated {
  RequestId id = 0;
  int32_t token = 0;
  std::string piece;  // bytes; may end inside a UTF-8 character
  std::optional<TokenLogprobs> logprobs{};
};
// reason kStop: the model ended its turn, or the sink said so; kLength: max_tokens.
struct GenerationFinished {
  RequestId id = 0;
  FinishReason reason = FinishReason::kStop;
  Usage usage;
  std::optional<CacheUse> cache{};  // where GenerationStarted had a provisional one
};
struct TaskFailed {  // of any task; kCancelled after cancel
  RequestId id = 0;
  Error error;
};
// What a cancelled task ends with.
[[nodiscard]] inline Error cancelled_error() { return {ErrorCode::kCancelled, "The request was cancelled."}; }

struct StateWritten {
  RequestId id = 0;
  SavedState state;  // without note
};

struct EmbeddingsMade {
  RequestId id = 0;
  Embeddings embeddings;
};

// An automatic prefix is about to be let go and may be worth a file. Until the answer by keep() its payload stays in
// memory.
struct PrefixOffered {
  uint64_t offer = 0;
  KnownState state;  // without id
  uint64_t bytes = 0;
  double value = 0;
};
struct FiguresChanged {
  EngineFigures figures;
};

using EngineEvent = std::variant<RestoreBegins, GenerationStarted, PrefillProgress, TokenGenerated, GenerationFinished,
                                 TaskFailed, StateWritten, EmbeddingsMade, PrefixOffered, FiguresChanged>;

// The answer counts only for TokenGenerated: false ends the generation with kStop.
using EngineSink = std::function<bool(const EngineEvent&)>;

class Engine {
 public:
  virtual ~Engine() = default;

  [[nodiscard]] virtual const LoadedModel& model() const = 0;

  // Queues a generation. It is admitted when its cells (prompt and max_tokens) fit; until then it waits, in order.
  virtual void start(GenerationTask task) = 0;
  // Queues the making of a state, in a context of its own, between the steps of generations.
  virtual void save_state(SaveStateTask task) = 0;
  // Queues embeddings, made between the steps of generations: PrefillProgress, then EmbeddingsMade. kUnsupported where
  // the engine has none.
  virtual void embed(EmbeddingTask task) = 0;
  // The answer to PrefixOffered: writes its payload into `file` (StateWritten or TaskFailed under `id` follows), or,
  // where `file` is invalid, forgets it. An unknown offer is TaskFailed{kNotFound}, without a file ignored.
  virtual void keep(RequestId id, uint64_t offer, UniqueFd file) = 0;
  // Before the end: offers the most valuable automatic prefixes, where that was asked for (ModelSpec::offer_evicted).
  virtual void offer_all() = 0;
  [[nodiscard]] virtual size_t unanswered_offers() = 0;
  // A generation out of credit keeps its cells and waits.
  virtual void add_credit(RequestId id, uint32_t tokens) = 0;
  // Any thread. The task ends with TaskFailed{kCancelled} within one step; an unknown id is ignored.
  virtual void cancel(RequestId id) = 0;
  // At most one prefill block and one decode call, or, where there is neither, a copy of an idle prefix. False when
  // nothing can go on before start, save_state, embed, add_credit or cancel is called.
  virtual bool step() = 0;
};

}  // namespace rockllama
