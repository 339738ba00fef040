#include "engines/rkllm/run_rules.h"

#include <gmock/gmock.h>

namespace rockllama::rkllm {
namespace {

using testing::HasSubstr;

const Features kAll = features_of(AbiGroup::k1_3_0);
const Features kFirst = features_of(AbiGroup::k1_1_0);

TEST(RunRules, RefuseAPromptThatTheRuntimeWouldCutAtANulCharacter) {
  const Status checked = check_run({.input = std::string("half\0lost", 9)}, kAll);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(checked.error().message, HasSubstr("NUL"));
}

TEST(RunRules, RefuseAnEmptyPrompt) {
  EXPECT_FALSE(check_run({.input = std::string()}, kAll));
  EXPECT_FALSE(check_run({.input = std::vector<int32_t>{}}, kAll));
  EXPECT_TRUE(check_run({.input = std::vector<int32_t>{0}}, kAll));
}

TEST(RunRules, RefuseWhatAnOldRuntimeHasNot) {
  const RunRequest plain{.input = "Hi"};
  EXPECT_TRUE(check_run(plain, kFirst));
  std::vector<RunRequest> more(5, plain);
  more[0].keep_history = true;
  more[1].enable_thinking = true;
  more[2].role = "tool";
  more[3].max_new_tokens = 1;
  more[4].sampling = SamplingParams{};
  for (const RunRequest& request : more) {
    EXPECT_TRUE(check_run(request, kAll));
    const Status checked = check_run(request, kFirst);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(RunRules, CallARunWithoutFinishAnError) {
  const auto result = judge_run({.code = 0}, kAll);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("without an end"));
}

TEST(RunRules, TakeAHiddenLayerWithoutFinishForARun) {
  const auto result = judge_run({.report = {.hidden_layer = true}}, kAll);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->perf);
}

TEST(RunRules, TellTheRuntimesLastWordsWithARefusal) {
  const auto result = judge_run({.code = -1, .last_words = "E rkllm: no such token"}, kAll);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  EXPECT_THAT(result.error().message, HasSubstr("refuses the prompt (-1): E rkllm: no such token"));
}

TEST(RunRules, TakeTheErrorOfAnAbortedRunForItsEnd) {
  const auto result = judge_run({.code = -1, .report = {.end = RunEnd::kError}, .aborted = true}, kAll);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->aborted);
  EXPECT_FALSE(result->trouble.empty());
  EXPECT_TRUE(judge_run({.report = {.end = RunEnd::kFinish}, .aborted = true}, kAll)->trouble.empty());
}

TEST(RunRules, BelieveTheCountsOnlyAtFinishAndOnlyWhereTheGroupHasThem) {
  const RunOutcome finished{.report = {.end = RunEnd::kFinish, .perf = {.prefill_tokens = 7}}};
  EXPECT_EQ(judge_run(finished, kAll)->perf.value().prefill_tokens, 7);
  EXPECT_FALSE(judge_run(finished, kFirst)->perf);
}

}  // namespace
}  // namespace rockllama::rkllm
