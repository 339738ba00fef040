// From the engine's events to the server's: pieces become text, stop strings end a generation, notes are added. Owned
// by the engine thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/answer_parser.h"
#include "engine/engine.h"
#include "worker/event_sender.h"
#include "worker/held_logprobs.h"
#include "worker/text_assembler.h"

namespace rockllama {

class GenerationOutput {
 public:
  explicit GenerationOutput(EventSender send) : send_(std::move(send)) {}

  // Why not all of a cache is reused, although `reuse_tokens` of it are: told where the engine has no reason of its own
  // and did not find a prefix that saves more.
  struct PartialReuse {
    std::string reason;
    uint32_t reuse_tokens = 0;
  };
  struct Expected {
    std::vector<std::string> stop{};
    std::shared_ptr<const AnswerSyntax> syntax{};  // null: all of the answer is what is said
    PartialReuse partial{};
    std::string echo{};  // before the first token's text; stop strings do not count in it
  };
  // Before the engine gets the generation.
  void expect_generation(RequestId id, Expected expected);
  // Before the engine gets the state to save.
  void expect_state(RequestId id, std::string note);
  // The engine's sink. Forgets an id with its last event.
  bool take(const EngineEvent& event);

 private:
  struct Generation {
    TextAssembler text;
    PartialReuse partial;
    std::string echo;
    std::optional<AnswerParser> parser{};
    HeldLogprobs logprobs{};
  };

  [[nodiscard]] static AnswerPiece rest_of(Generation& generation, bool complete);
  [[nodiscard]] CacheUse with_reason(RequestId id, CacheUse use) const;
  bool take_one(const RestoreBegins& event);
  bool take_one(const GenerationStarted& event);
  bool take_one(const PrefillProgress& event);
  bool take_one(const TokenGenerated& event);
  bool take_one(const GenerationFinished& event);
  bool take_one(const TaskFailed& event);
  bool take_one(const StateWritten& event);
  bool take_one(const EmbeddingsMade& event);
  bool take_one(const PrefixOffered& event);
  bool take_one(const FiguresChanged& event);

  EventSender send_;
  std::map<RequestId, Generation> generations_;
  std::map<RequestId, std::string> state_notes_;
};

}  // namespace rockllama
