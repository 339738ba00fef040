#include "worker/embedding_plan.h"

#include <string>
#include <utility>

#include "worker/text_answers.h"

namespace rockllama {
namespace {

using Tokens = std::vector<int32_t>;

std::string place_of(const EmbeddingsQuestion& question, size_t index) {
  return question.inputs.size() == 1 ? "input" : "input[" + std::to_string(index) + "]";
}

Result<Tokens> tokens_of(const PreparerModel& model, const EmbeddingInput& input, const std::string& place) {
  if (const auto* text = std::get_if<std::string>(&input)) return model.tokenize_text(*text);
  if (!model.vocabulary) {
    return fail(ErrorCode::kUnsupported, place + ": token ids need a tokenizer beside the model; send text", place);
  }
  const auto& ids = std::get<Tokens>(input);
  if (Status known = check_tokens(*model.vocabulary, ids, place); !known) return fail(known.error());
  return ids;
}

Status check_length(const PreparerModel& model, const Tokens& tokens, const std::string& place) {
  if (tokens.empty()) return fail(ErrorCode::kInvalidArgument, place + " has no tokens", place);
  const size_t count = token_count(model, tokens.size());
  if (count <= model.embedding_tokens) return {};
  return fail(ErrorCode::kContextLengthExceeded,
              "This model embeds at most " + std::to_string(model.embedding_tokens) +
                  " tokens of one input. However, " + place + " has " + (model.counts_bytes ? "about " : "") +
                  std::to_string(count) + " tokens.",
              place);
}

}  // namespace

Result<std::vector<Tokens>> plan_embeddings(const PreparerModel& model, const EmbeddingsQuestion& question) {
  std::vector<Tokens> inputs;
  for (size_t i = 0; i < question.inputs.size(); ++i) {
    const std::string place = place_of(question, i);
    Result<Tokens> tokens = tokens_of(model, question.inputs[i], place);
    if (!tokens) return fail(tokens.error());
    if (Status fits = check_length(model, *tokens, place); !fits) return fail(fits.error());
    inputs.push_back(std::move(*tokens));
  }
  return inputs;
}

}  // namespace rockllama
