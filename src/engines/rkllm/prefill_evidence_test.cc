#include "engines/rkllm/prefill_evidence.h"

#include <gmock/gmock.h>

namespace rockllama::rkllm {
namespace {

using ::testing::HasSubstr;

TEST(PrefillEvidence, WhatWasNotPrefilledWasReused) {
  EXPECT_EQ(judge_prefill({.prefilled = 20, .prompt = 385, .state = 365, .reusable = 365}).reused_tokens, 365u);
  EXPECT_EQ(judge_prefill({.prefilled = 25, .prompt = 385, .state = 365, .reusable = 365}).reused_tokens, 360u);
  EXPECT_EQ(judge_prefill({.prefilled = 1, .prompt = 385, .state = 365, .reusable = 365}).reused_tokens, 365u);
}

TEST(PrefillEvidence, AWholePrefillIsNoHit) {
  for (const uint32_t prefilled : {385u, 386u}) {
    const PrefillVerdict verdict =
        judge_prefill({.prefilled = prefilled, .prompt = 385, .state = 365, .reusable = 365});
    EXPECT_EQ(verdict.reused_tokens, 0u);
    EXPECT_THAT(verdict.reason, HasSubstr("whole prompt"));
  }
}

TEST(PrefillEvidence, WithoutACountNothingIsShown) {
  EXPECT_EQ(judge_prefill({.prompt = 385, .state = 365, .reusable = 365}).reason,
            "unverified: this runtime reports no prefill count");
  EXPECT_EQ(judge_prefill({.prefilled = 20, .prompt = 1600, .state = 1500, .reusable = 1500, .counted_state = 0})
                .reused_tokens,
            0u);
}

TEST(PrefillEvidence, InBytesTheNearerExplanationHolds) {
  const auto reused = [](uint32_t prefilled) {
    return judge_prefill(
               {.prefilled = prefilled, .prompt = 1600, .state = 1500, .reusable = 1500, .counted_state = 365})
        .reused_tokens;
  };
  EXPECT_EQ(reused(30), 365u);
  EXPECT_EQ(reused(390), 0u);
}

TEST(PrefillEvidence, OfAStateThatServesInPartOnlyThatPartCounts) {
  const PrefillEvidence tokens{.prefilled = 20, .prompt = 385, .state = 365, .reusable = 100};
  EXPECT_EQ(judge_prefill(tokens).reused_tokens, 100u);
  const PrefillEvidence bytes{.prefilled = 70, .prompt = 700, .state = 1500, .reusable = 400, .counted_state = 375};
  EXPECT_EQ(judge_prefill(bytes).reused_tokens, 100u);
}

TEST(PrefillEvidence, InBytesALongRestIsNotTakenForThePrefix) {
  const PrefillEvidence evidence{
      .prefilled = 370, .prompt = 3000, .state = 1500, .reusable = 1500, .counted_state = 365};
  EXPECT_EQ(judge_prefill(evidence).reused_tokens, 365u);
}

}  // namespace
}  // namespace rockllama::rkllm
