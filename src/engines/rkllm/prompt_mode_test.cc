#include "engines/rkllm/prompt_mode.h"

#include <gmock/gmock.h>

namespace rockllama::rkllm {
namespace {

using ::testing::HasSubstr;

TEST(PromptMode, IsTokensWhereThereIsATokenizer) {
  EXPECT_EQ(choose_prompt_mode({.has_tokenizer = true, .parses_special = true})->mode, PromptMode::kTokens);
}

TEST(PromptMode, IsNativeUntilTheProbeShowsThatSpecialTokensAreParsed) {
  PromptFacts facts{.has_template = true};
  EXPECT_EQ(choose_prompt_mode(facts)->mode, PromptMode::kNative);
  facts.parses_special = false;
  EXPECT_EQ(choose_prompt_mode(facts)->mode, PromptMode::kNative);
  facts.parses_special = true;
  EXPECT_EQ(choose_prompt_mode(facts)->mode, PromptMode::kRendered);
  facts.has_template = false;
  EXPECT_EQ(choose_prompt_mode(facts)->mode, PromptMode::kNative);
}

TEST(PromptMode, IsRenderedWhereTheRuntimeHasNoTemplateOfItsOwn) {
  EXPECT_EQ(choose_prompt_mode({.has_template = true, .runtime_template = false})->mode, PromptMode::kRendered);
}

TEST(PromptMode, IsTheWantedOneOrNamesTheFileThatItLacks) {
  EXPECT_EQ(choose_prompt_mode({.wanted = "native", .has_tokenizer = true})->mode, PromptMode::kNative);
  EXPECT_EQ(choose_prompt_mode({.wanted = "rendered", .has_template = true})->mode, PromptMode::kRendered);
  EXPECT_THAT(choose_prompt_mode({.wanted = "tokens"}).error().message, HasSubstr("tokenizer.gguf"));
  EXPECT_THAT(choose_prompt_mode({.wanted = "rendered"}).error().message, HasSubstr("chat_template.jinja"));
}

TEST(PromptMode, EveryChoiceSaysWhy) {
  EXPECT_THAT(choose_prompt_mode({.has_template = true})->reason, HasSubstr("cannot be told"));
  EXPECT_THAT(choose_prompt_mode({.has_template = true, .parses_special = false})->reason, HasSubstr("does not parse"));
}

TEST(SpecialToken, IsTakenFromTheTemplate) {
  EXPECT_EQ(special_token_in("{{ '<|im_start|>' + m.role }}<|im_end|>"), "<|im_start|>");
  EXPECT_EQ(special_token_in("a <| b |> <|x y|> <|end|>"), "<|end|>");
  for (const char* none : {"", "{{ messages }}", "<|", "<|unclosed", "<||>"}) EXPECT_EQ(special_token_in(none), "");
}

}  // namespace
}  // namespace rockllama::rkllm
