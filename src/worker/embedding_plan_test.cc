#include "worker/embedding_plan.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using EmbeddedTokens = std::vector<int32_t>;

// A token for each byte of a text, as many as 5 in an input.
PreparerModel embedding_model() {
  static const Vocabulary words =
      Vocabulary::load(std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-gpt-2.gguf").value();
  return {.tokenize_text =
              [](std::string_view text) {
                return Result<EmbeddedTokens>({text.begin(), text.end()});
              },
          .tokenize_chat = {},
          .chat_template = fail(ErrorCode::kUnsupported, "none"),
          .vocabulary = words,
          .embedding_tokens = 5};
}

Error plan_fault(const PreparerModel& model, const std::vector<EmbeddingInput>& inputs) {
  const auto plan = plan_embeddings(model, {inputs});
  return plan ? Error{.message = "none"} : plan.error();
}

TEST(EmbeddingPlan, MakesTokensOfTextsAndTakesTokensAsTheyAre) {
  const auto plan = plan_embeddings(embedding_model(), {{"AB", EmbeddedTokens{99, 0}}});
  ASSERT_TRUE(plan);
  EXPECT_THAT(*plan, ElementsAre(EmbeddedTokens{65, 66}, EmbeddedTokens{99, 0}));
}

TEST(EmbeddingPlan, SaysBothNumbersOfAnInputThatIsTooLong) {
  const Error error = plan_fault(embedding_model(), {"short", "longer"});
  EXPECT_EQ(error.code, ErrorCode::kContextLengthExceeded);
  EXPECT_EQ(error.param, "input[1]");
  EXPECT_THAT(error.message, HasSubstr("at most 5 tokens"));
  EXPECT_THAT(error.message, HasSubstr("has 6 tokens"));
  EXPECT_EQ(plan_fault(embedding_model(), {"longer"}).param, "input");
}

TEST(EmbeddingPlan, RefusesIdsThatAreNoTokens) {
  const Error error = plan_fault(embedding_model(), {EmbeddedTokens{1, 1000000}});
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.param, "input");
  EXPECT_EQ(plan_fault(embedding_model(), {EmbeddedTokens{-1}}).code, ErrorCode::kInvalidArgument);
}

TEST(EmbeddingPlan, TakesNoIdsWhereThereIsNoTokenizer) {
  PreparerModel bytes = embedding_model();
  bytes.counts_bytes = true;
  bytes.vocabulary.reset();
  EXPECT_EQ(plan_fault(bytes, {EmbeddedTokens{1}}).code, ErrorCode::kUnsupported);
  EXPECT_TRUE(plan_embeddings(bytes, {{"twenty bytes of text"}}));
  EXPECT_EQ(plan_fault(bytes, {"twenty-four bytes of text"}).code, ErrorCode::kContextLengthExceeded);
}

}  // namespace
}  // namespace rockllama
