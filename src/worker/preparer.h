// The first step of a request: render, tokenize, count, choose the cache, plan the cuts. So context errors and token
// counts are known before any prefill. Owned by the prepare thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "domain/prompt_cache.h"
#include "engine/engine.h"
#include "protocol/messages.h"
#include "worker/line_borders.h"
#include "worker/state_index.h"

namespace rockllama {

// A request that can be started.
struct PreparedGeneration {
  protocol::Prepared answer;
  GenerationTask task;  // without credit and without the state's file
  std::vector<std::string> stop;
  std::shared_ptr<const AnswerSyntax> syntax;  // null: all of the answer is what is said
  std::string echo;                            // what the answer begins with, before the first token
  std::string reason;                          // why not all of the cache is reused, where a state serves
};

// What save_state prefills.
struct StatePlan {
  std::vector<int32_t> tokens;
  std::vector<uint32_t> cuts;
  std::string note;          // for people
  uint32_t base_tokens = 0;  // the cut up to which the lent state holds them; 0 = it cannot serve
};

// The answer to a question, or what the engine has to do for it.
using QuestionOutcome = std::variant<Answer, EmbeddingTask>;

class Preparer {
 public:
  explicit Preparer(PreparerModel model);

  // Of several caches the one of the longest content that fits the context serves; whether it has a state does not
  // matter, because the answer must not depend on that. A cache that cannot stand before this prompt does not count.
  // Where none is named, the longest named state that the prompt begins with is found. kContextLengthExceeded,
  // kInvalidArgument (an empty prompt, messages that the template refuses), kUnsupported (a chat without a template).
  [[nodiscard]] Result<PreparedGeneration> prepare(const protocol::Prepare& command);
  // `lent`: the state of what the line continues, if there is one. kContextLengthExceeded; kUnsupported where nothing
  // of the line stays the same whatever follows it, and as LineBorders.
  [[nodiscard]] Result<StatePlan> plan_state(const CacheLine& line, StateFormat format, const StateKey* lent = nullptr);
  // Fails as plan_embeddings() and answer_text_question().
  [[nodiscard]] Result<QuestionOutcome> answer(const protocol::Ask& command) const;
  // Which states exist; requests that begin with one of them find it by themselves.
  void know(protocol::KnownStates states) { known_.apply(std::move(states)); }

 private:
  using Found = std::vector<FoundState>;

  [[nodiscard]] Result<PreparedGeneration> prepare_with(const protocol::Prepare& command, const CacheReference* cache);
  struct TokenizedPrompt {
    std::vector<int32_t> tokens;
    RenderedChat chat{};  // without its text
  };
  [[nodiscard]] Result<TokenizedPrompt> tokenize(const ChatPrompt& prompt, const CacheReference* cache) const;
  [[nodiscard]] Result<TokenizedPrompt> tokenize(const TextPrompt& prompt, const CacheReference* cache) const;
  void resolve_to(const CacheReference& cache, const Found& found, StateFormat format, PreparedGeneration* prepared);
  [[nodiscard]] std::shared_ptr<const LineBorder> system_border(const protocol::Prepare& command);
  void resolve_alone(const protocol::Prepare& command, const Found& found, PreparedGeneration* prepared);

  std::shared_ptr<const PreparerModel> model_;
  LineBorders borders_;
  StateIndex known_;
};

}  // namespace rockllama
