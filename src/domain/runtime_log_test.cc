#include "domain/runtime_log.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(RuntimeLog, TellsBothNumbersOfAContextThatIsTooLarge) {
  const auto refusal = context_refusal(
      {"I rkllm: rkllm-runtime version: 1.2.3",
       "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]", "W rkllm: bye"});
  EXPECT_EQ(refusal, (ContextRefusal{16384, 4096}));
}

TEST(RuntimeLog, SeesNoRefusedContextInOtherLines) {
  EXPECT_EQ(context_refusal({}), std::nullopt);
  EXPECT_EQ(
      context_refusal({"I rkllm: max_context_limit[4096]", "max_context[12", "max_context[x] max_context_limit[1]"}),
      std::nullopt);
}

TEST(RuntimeLog, TakesTheLastErrorsForTheLastWords) {
  EXPECT_EQ(last_words({"E rkllm: 1", "E rkllm: 2", "I rkllm: x", "E rkllm: 3", "E rkllm: 4", "I rkllm: y"}),
            "E rkllm: 2 | E rkllm: 3 | E rkllm: 4");
}

TEST(RuntimeLog, TakesTheLastLinesWhereNoneReportsAnError) {
  EXPECT_EQ(last_words({"a", "b", "c", "GGML_ASSERT(x) failed"}), "b | c | GGML_ASSERT(x) failed");
  EXPECT_EQ(last_words({}), "");
}

}  // namespace
}  // namespace rockllama
