#include "engine/cut_plan.h"

#include <gmock/gmock.h>

#include <numeric>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int32_t> counted(int size, int from = 0) {
  std::vector<int32_t> tokens(static_cast<size_t>(size));
  std::iota(tokens.begin(), tokens.end(), from);
  return tokens;
}

TEST(BlockCuts, EndsWithAShortBlock) { EXPECT_THAT(block_cuts(10, 35, 10), ElementsAre(20, 30, 35)); }
TEST(BlockCuts, AreNoneForAnEmptyRange) { EXPECT_THAT(block_cuts(7, 7, 10), IsEmpty()); }

// Over a cache that continues none.
CutPlan plan_over(const std::vector<int32_t>& prompt, const std::vector<int32_t>& prefix) {
  return plan_cuts(prompt, prefix, block_cuts(0, static_cast<uint32_t>(prefix.size()), 10), 10);
}

TEST(BorderCuts, CountBlocksAnewFromEachBorder) {
  EXPECT_THAT(border_cuts(std::vector<uint32_t>{13, 15, 31}, 10), ElementsAre(10, 13, 15, 25, 31));
  EXPECT_THAT(border_cuts({}, 10), IsEmpty());
}

TEST(PlanCuts, GoesOnFromTheBorderOfWhatTheCacheContinues) {
  const std::vector<uint32_t> cuts = border_cuts(std::vector<uint32_t>{13, 31}, 10);
  EXPECT_THAT(plan_cuts(counted(40), counted(31), cuts, 10).cuts, ElementsAre(10, 13, 23, 31, 40));
  EXPECT_EQ(plan_cuts(counted(14), counted(31), cuts, 10).reuse_tokens, 13u);
}

TEST(PlanCuts, CountsBlocksFromTheStartWithoutAPrefix) {
  const CutPlan plan = plan_over(counted(25), {});
  EXPECT_THAT(plan.cuts, ElementsAre(10, 20, 25));
  EXPECT_EQ(plan.reuse_tokens, 0u);
}

TEST(PlanCuts, CutsAtTheEndOfThePrefixAndCountsBlocksFromThere) {
  const CutPlan plan = plan_over(counted(30), counted(13));
  EXPECT_THAT(plan.cuts, ElementsAre(10, 13, 23, 30));
  EXPECT_EQ(plan.reuse_tokens, 13u);
}

TEST(PlanCuts, FallsBackToTheLastCutOnWhichPromptAndPrefixAgree) {
  std::vector<int32_t> prefix = counted(25);
  prefix[23] = -1;
  const CutPlan plan = plan_over(counted(40), prefix);
  EXPECT_THAT(plan.cuts, ElementsAre(10, 20, 30, 40));
  EXPECT_EQ(plan.reuse_tokens, 20u);
}

TEST(PlanCuts, LeavesOneTokenToDecodeWhenThePrefixIsThePrompt) {
  const CutPlan plan = plan_over(counted(20), counted(20));
  EXPECT_THAT(plan.cuts, ElementsAre(10, 20));
  EXPECT_EQ(plan.reuse_tokens, 10u);
}

TEST(PlanCuts, TakesNothingOfAPrefixThatDiffersInItsFirstBlock) {
  const CutPlan plan = plan_over(counted(12), counted(9, 100));
  EXPECT_THAT(plan.cuts, ElementsAre(10, 12));
  EXPECT_EQ(plan.reuse_tokens, 0u);
}

TEST(PlanCuts, OfAPromptShorterThanThePrefixStaysInsideThePrompt) {
  const CutPlan plan = plan_over(counted(12), counted(30));
  EXPECT_THAT(plan.cuts, ElementsAre(10, 12));
  EXPECT_EQ(plan.reuse_tokens, 10u);
}

}  // namespace
}  // namespace rockllama
