#include "worker/text_answers.h"

#include <algorithm>
#include <utility>

namespace rockllama {
namespace {

tl::unexpected<Error> no_tokenizer() {
  return fail(ErrorCode::kUnsupported, "This model has no tokenizer here: put tokenizer.gguf beside it.");
}

Result<Answer> answer_to(const PreparerModel& model, const TokenizeQuestion& question) {
  if (!model.vocabulary) return no_tokenizer();
  auto tokens = model.vocabulary->tokenize(question.text, question.add_special, question.parse_special);
  if (!tokens) return fail(tokens.error());
  Tokenized answer{.tokens = std::move(*tokens), .pieces = {}};
  for (const int32_t token : answer.tokens) answer.pieces.push_back(model.vocabulary->name(token));
  return answer;
}

Result<Answer> answer_to(const PreparerModel& model, const DetokenizeQuestion& question) {
  if (!model.vocabulary) return no_tokenizer();
  if (Status known = check_tokens(*model.vocabulary, question.tokens, "tokens"); !known) return fail(known.error());
  PlainText answer;
  for (const int32_t token : question.tokens) answer.text += model.vocabulary->name(token);
  return answer;
}

Result<Answer> answer_to(const PreparerModel& model, const TemplateQuestion& question) {
  auto rendered = render_chat(model, {}, question.chat);
  if (!rendered) return fail(rendered.error());
  return PlainText{std::move(rendered->text)};
}

Result<Answer> answer_to(const PreparerModel& /*model*/, const EmbeddingsQuestion& /*question*/) {
  return fail(ErrorCode::kUnsupported, "Embeddings are made by the engine.");
}

}  // namespace

Status check_tokens(const Vocabulary& vocabulary, const std::vector<int32_t>& ids, const std::string& place) {
  const auto size = static_cast<int64_t>(vocabulary.size());
  const auto odd = std::find_if(ids.begin(), ids.end(), [size](int32_t id) { return id < 0 || id >= size; });
  if (odd == ids.end()) return {};
  return fail(ErrorCode::kInvalidArgument, place + ": " + std::to_string(*odd) + " is no token of this model", place);
}

Result<Answer> answer_text_question(const PreparerModel& model, const Question& question) {
  return std::visit([&model](const auto& one) { return answer_to(model, one); }, question);
}

}  // namespace rockllama
