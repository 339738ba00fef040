#include "worker/text_prompt.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace rockllama {
namespace {

using PromptTokens = std::vector<int32_t>;

// One that can fill in.
PreparerModel prompted_model() {
  static const Vocabulary words =
      Vocabulary::load(std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-starcoder.gguf").value();
  return {.tokenize_text = [](std::string_view text) { return words.tokenize_text(text); },
          .tokenize_chat = {},
          .chat_template = fail(ErrorCode::kUnsupported, "none"),
          .vocabulary = words};
}

// Of bytes, without a vocabulary.
PreparerModel prompted_bytes() {
  return {.tokenize_text =
              [](std::string_view text) {
                return Result<PromptTokens>({text.begin(), text.end()});
              },
          .tokenize_chat = {},
          .chat_template = fail(ErrorCode::kUnsupported, "none"),
          .counts_bytes = true};
}

std::string shown_prompt(const TextPrompt& prompt, const std::string& before = {}) {
  const PreparerModel model = prompted_model();
  const auto tokens = tokenize_prompt(model, prompt, before);
  if (!tokens) return "error: " + tokens.error().param;
  std::string text;
  for (const int32_t token : *tokens) text += model.vocabulary->name(token);
  return text;
}

TEST(TextPrompt, TakesTokenIdsAsTheyAre) {
  const PromptTokens ids = prompted_model().vocabulary->tokens_of("def f():");
  EXPECT_EQ(tokenize_prompt(prompted_model(), {.text = "", .tokens = ids}, ""), ids);
}

TEST(TextPrompt, PutsACacheBeforeTokenIds) {
  const PromptTokens ids = prompted_model().vocabulary->tokens_of("def f():");
  EXPECT_EQ(shown_prompt({.text = "", .tokens = ids}, "# Code.\n"), "# Code.\ndef f():");
}

TEST(TextPrompt, RefusesIdsThatAreNoTokens) {
  EXPECT_EQ(shown_prompt({.text = "", .tokens = {1, 10000000}}), "error: prompt");
  EXPECT_EQ(shown_prompt({.text = "", .tokens = {-1}}), "error: prompt");
}

TEST(TextPrompt, MarksWhatStandsAroundAMiddle) {
  EXPECT_EQ(shown_prompt({.text = "def ", .suffix = "return 1"}), "<fim_prefix>def <fim_suffix>return 1<fim_middle>");
  EXPECT_EQ(shown_prompt({.text = "def ", .suffix = "\n"}, "# Code.\n"),
            "<fim_prefix># Code.\ndef <fim_suffix>\n<fim_middle>");
}

TEST(TextPrompt, TakesSpecialTokensAroundAMiddleAsText) {
  const auto tokens = tokenize_prompt(prompted_model(), {.text = "<fim_prefix>", .suffix = "x"}, "");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(std::count(tokens->begin(), tokens->end(), tokens->front()), 1);
}

TEST(TextPrompt, NeedsATokenizerForAllButATextAlone) {
  EXPECT_TRUE(tokenize_prompt(prompted_bytes(), {.text = "a"}, "b"));
  const auto tokens = tokenize_prompt(prompted_bytes(), {.text = "", .tokens = {1}}, "");
  EXPECT_EQ(tokens.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(tokens.error().param, "prompt");
  const auto middle = tokenize_prompt(prompted_bytes(), {.text = "a", .suffix = "b"}, "");
  EXPECT_EQ(middle.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(middle.error().param, "suffix");
}

TEST(TextPrompt, EchoesItselfAndNoSuffix) {
  EXPECT_EQ(echoed_text(prompted_model(), {.text = "def ", .suffix = "return", .echo = true}), "def ");
  EXPECT_EQ(echoed_text(prompted_model(), {.text = "def "}), "");
}

TEST(TextPrompt, EchoesTokensInWholeCharacters) {
  const Vocabulary words = *prompted_model().vocabulary;
  PromptTokens ids = words.tokens_of("\xF0\x9F\xA6\x99");
  EXPECT_EQ(echoed_text(prompted_model(), {.text = "", .tokens = ids, .echo = true}), "\xF0\x9F\xA6\x99");
  ASSERT_GT(ids.size(), 1u);
  ids.pop_back();
  EXPECT_EQ(echoed_text(prompted_model(), {.text = "", .tokens = ids, .echo = true}).substr(0, 3), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace rockllama
