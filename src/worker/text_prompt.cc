#include "worker/text_prompt.h"

#include <utility>

#include "worker/text_answers.h"
#include "worker/utf8_decoder.h"

namespace rockllama {
namespace {

using Tokens = std::vector<int32_t>;

Result<Tokens> joined(Result<Tokens> tokens, const Tokens& more) {
  if (tokens) tokens->insert(tokens->end(), more.begin(), more.end());
  return tokens;
}

// Here a special token that is spelled out is text: what is filled in is often source code about such tokens.
Result<Tokens> tokens_around(const PreparerModel& model, const TextPrompt& prompt, const std::string& before) {
  const auto plain = [&model](const std::string& text) { return model.vocabulary->tokenize(text, false, false); };
  const Result<Tokens> first = joined(plain(before + prompt.text), prompt.tokens);
  if (!first) return first;
  const Result<Tokens> behind = plain(prompt.suffix);
  if (!behind) return behind;
  auto tokens = model.vocabulary->infill(*first, *behind);
  if (!tokens) return fail(tokens.error().code, tokens.error().message, "suffix");
  return tokens;
}

}  // namespace

Result<Tokens> tokenize_prompt(const PreparerModel& model, const TextPrompt& prompt, const std::string& before) {
  if (prompt.tokens.empty() && prompt.suffix.empty()) return model.tokenize_text(before + prompt.text);
  if (!model.vocabulary) {
    const char* param = prompt.suffix.empty() ? "prompt" : "suffix";
    return fail(ErrorCode::kUnsupported, std::string(param) + ": this needs a tokenizer beside the model", param);
  }
  if (Status known = check_tokens(*model.vocabulary, prompt.tokens, "prompt"); !known) return fail(known.error());
  if (!prompt.suffix.empty()) return tokens_around(model, prompt, before);
  return before.empty() ? prompt.tokens : joined(model.tokenize_text(before), prompt.tokens);
}

std::string echoed_text(const PreparerModel& model, const TextPrompt& prompt) {
  if (!prompt.echo) return {};
  if (prompt.tokens.empty()) return prompt.text;
  std::string text;
  Utf8Decoder decoder;
  for (const int32_t token : prompt.tokens) {
    for (const char byte : model.vocabulary->name(token)) decoder.feed(static_cast<uint8_t>(byte), &text);
  }
  decoder.finish(&text);
  return text;
}

}  // namespace rockllama
