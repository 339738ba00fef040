#include "worker/text_answers.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

PreparerModel answering_model() {
  static const Vocabulary words =
      Vocabulary::load(std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-qwen2.gguf").value();
  return {.tokenize_text = {},
          .tokenize_chat = {},
          .chat_template = ChatTemplate::create(
              words.model(),
              "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
              "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"),
          .vocabulary = words};
}

Tokenized tokenized(const PreparerModel& model, const TokenizeQuestion& question) {
  return std::get<Tokenized>(answer_text_question(model, question).value());
}

TEST(TextAnswers, TurnTextIntoTokensAndBack) {
  const PreparerModel model = answering_model();
  const std::string text = "<|im_start|>user\nGr\xc3\xbc\xc3\x9f Gott!<|im_end|>";
  const Tokenized tokens = tokenized(model, {text});
  EXPECT_EQ(tokens.pieces.front(), "<|im_start|>");
  EXPECT_THAT(tokens.pieces, SizeIs(tokens.tokens.size()));
  const auto back = answer_text_question(model, DetokenizeQuestion{tokens.tokens});
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<PlainText>(*back).text, text);
}

TEST(TextAnswers, TakeSpecialTokensAsTextWhereAsked) {
  const PreparerModel model = answering_model();
  EXPECT_THAT(tokenized(model, {"<|im_end|>", false, true}).tokens, SizeIs(1));
  EXPECT_GT(tokenized(model, {"<|im_end|>", false, false}).tokens.size(), 1u);
}

TEST(TextAnswers, RefuseIdsThatAreNoTokens) {
  const auto answer = answer_text_question(answering_model(), DetokenizeQuestion{{1, 9999999}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(answer.error().param, "tokens");
  EXPECT_THAT(answer.error().message, HasSubstr("9999999"));
}

TEST(TextAnswers, RenderAChat) {
  const auto answer = answer_text_question(answering_model(), TemplateQuestion{{{{"user", "Hi."}}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(std::get<PlainText>(*answer).text, "<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\n");
}

TEST(TextAnswers, SayWhereThereIsNoTokenizer) {
  PreparerModel bytes = answering_model();
  bytes.vocabulary.reset();
  EXPECT_EQ(answer_text_question(bytes, TokenizeQuestion{"a"}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(answer_text_question(bytes, DetokenizeQuestion{{1}}).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace rockllama
