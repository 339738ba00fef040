#include "worker/generation_output.h"

#include <utility>

namespace rockllama {

void GenerationOutput::expect_generation(RequestId id, Expected expected) {
  Generation generation{TextAssembler(std::move(expected.stop)), std::move(expected.partial), std::move(expected.echo)};
  if (expected.syntax) generation.parser.emplace(std::move(expected.syntax));
  generations_.insert_or_assign(id, std::move(generation));
}

void GenerationOutput::expect_state(RequestId id, std::string note) {
  state_notes_.insert_or_assign(id, std::move(note));
}

bool GenerationOutput::take(const EngineEvent& event) {
  return std::visit([this](const auto& one) { return take_one(one); }, event);
}

bool GenerationOutput::take_one(const RestoreBegins& event) {
  send_(protocol::Restoring{event.id, event.state_id});
  return true;
}

bool GenerationOutput::take_one(const GenerationStarted& event) {
  send_(protocol::Started{event.id, with_reason(event.id, event.cache)});
  return true;
}

CacheUse GenerationOutput::with_reason(RequestId id, CacheUse use) const {
  const auto known = generations_.find(id);
  const bool as_planned = known != generations_.end() && use.tokens == known->second.partial.reuse_tokens;
  if (as_planned && use.reason.empty()) use.reason = known->second.partial.reason;
  return use;
}

bool GenerationOutput::take_one(const PrefillProgress& event) {
  send_(protocol::Progress{event.id, event.done_tokens, event.total_tokens});
  return true;
}

// A token whose text is held back is told too: it used up credit, and shows that the engine is alive.
bool GenerationOutput::take_one(const TokenGenerated& event) {
  const auto known = generations_.find(event.id);
  if (known == generations_.end()) return false;
  Generation& generation = known->second;
  TextAssembler::Output output = generation.text.push(event.piece);
  if (event.logprobs) generation.logprobs.hold(*event.logprobs, event.piece.size());
  std::vector<TokenLogprobs> logprobs = generation.logprobs.release(output.text.size());
  AnswerPiece piece = generation.parser ? generation.parser->push(output.text) : AnswerPiece{std::move(output.text)};
  piece.text.insert(0, std::exchange(generation.echo, {}));
  piece.logprobs = std::move(logprobs);
  send_(protocol::Tokens{event.id, 1, std::move(piece)});
  return !output.stopped && !(generation.parser && generation.parser->is_over());
}

bool GenerationOutput::take_one(const GenerationFinished& event) {
  protocol::Finished finished{event.id, event.reason, event.usage};
  if (event.cache) finished.cache = with_reason(event.id, *event.cache);
  if (auto node = generations_.extract(event.id)) {
    Generation& generation = node.mapped();
    const bool complete = event.reason == FinishReason::kStop;
    AnswerPiece rest = rest_of(generation, complete);
    if (!rest.says_nothing()) send_(protocol::Tokens{event.id, 0, std::move(rest)});
    if (complete && generation.parser && generation.parser->called_tools()) finished.reason = FinishReason::kToolCalls;
  }
  send_(finished);
  return true;
}

AnswerPiece GenerationOutput::rest_of(Generation& generation, bool complete) {
  std::string text = generation.text.finish();
  std::vector<TokenLogprobs> logprobs = generation.logprobs.release(text.size());
  AnswerPiece rest = generation.parser ? generation.parser->finish(text, complete) : AnswerPiece{std::move(text)};
  rest.text.insert(0, std::exchange(generation.echo, {}));
  rest.logprobs = std::move(logprobs);
  return rest;
}

bool GenerationOutput::take_one(const TaskFailed& event) {
  generations_.erase(event.id);
  state_notes_.erase(event.id);
  send_(failed(event.id, event.error));
  return true;
}

bool GenerationOutput::take_one(const StateWritten& event) {
  protocol::StateSaved saved{event.id, event.state};
  if (auto node = state_notes_.extract(event.id)) saved.state.note = std::move(node.mapped());
  send_(saved);
  return true;
}

bool GenerationOutput::take_one(const EmbeddingsMade& event) {
  send_(protocol::Answered{event.id, event.embeddings});
  return true;
}

bool GenerationOutput::take_one(const PrefixOffered& event) {
  send_(protocol::Offered{event.offer, event.state, event.bytes, event.value});
  return true;
}

bool GenerationOutput::take_one(const FiguresChanged& event) {
  send_(protocol::Figures{event.figures});
  return true;
}

}  // namespace rockllama
