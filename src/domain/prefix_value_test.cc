#include "domain/prefix_value.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rockllama {
namespace {

constexpr double kNow = 100000;
constexpr double kHour = 3600;
constexpr uint64_t kBytesPerToken = 23040;

PrefixUse prefix(uint32_t tokens, double hits, double idle_s = 0) {
  return {.tokens = tokens, .bytes = tokens * kBytesPerToken, .hits = hits, .last_used_s = kNow - idle_s};
}

TEST(PrefixValue, HalvesInHalfAnHour) {
  const double fresh = prefix_value(prefix(1000, 2), kNow);
  EXPECT_NEAR(prefix_value(prefix(1000, 2, kHour / 2), kNow), fresh / 2, fresh * 1e-9);
  EXPECT_NEAR(prefix_value(prefix(1000, 2, kHour), kNow), fresh / 4, fresh * 1e-9);
}

TEST(PrefixValue, OfAUsedPrefixIsAboveThatOfOneNeverUsed) {
  EXPECT_GT(prefix_value(prefix(1000, 1, kHour), kNow), prefix_value(prefix(1000, 0), kNow));
}

TEST(PrefixValue, OfAFreshSideCallStaysBelowALongConversationOfThreeHoursAgo) {
  for (const uint32_t side_call : {1u, 20u, 60u}) {
    EXPECT_GT(prefix_value(prefix(1500, 1, 3 * kHour), kNow), prefix_value(prefix(side_call, 0), kNow)) << side_call;
  }
}

TEST(PrefixValue, FallsWithTheBytesThatItTakes) {
  PrefixUse heavy = prefix(1000, 1);
  heavy.bytes *= 4;
  EXPECT_LT(prefix_value(heavy, kNow), prefix_value(prefix(1000, 1), kNow));
}

TEST(PrefixValue, PutsPinnedLastAndWhatIsInUseNever) {
  PrefixUse pinned = prefix(10, 0, 100 * kHour);
  pinned.pinned = true;
  EXPECT_GT(prefix_value(pinned, kNow), prefix_value(prefix(100000, 1e9), kNow));
  PrefixUse weightless = prefix(100000, 1e9);
  weightless.bytes = 0;
  EXPECT_GT(prefix_value(pinned, kNow), prefix_value(weightless, kNow));
  PrefixUse used = prefix(1, 0, 100 * kHour);
  used.in_use = true;
  EXPECT_GT(prefix_value(used, kNow), prefix_value(pinned, kNow));
}

TEST(PrefixValue, StandsWhenTheClockWasBehind) {
  EXPECT_EQ(prefix_value(prefix(1000, 1, -kHour), kNow), prefix_value(prefix(1000, 1), kNow));
}

TEST(PrefixValue, OfNothingIsNothing) { EXPECT_EQ(prefix_value({}, kNow), 0.0); }

TEST(PrefixUse, CountsUsesThatFade) {
  PrefixUse use = prefix(100, 4, kHour / 2);
  count_use(use, kNow);
  EXPECT_NEAR(use.hits, 3.0, 1e-9);
  EXPECT_EQ(use.last_used_s, kNow);
  count_use(use, kNow);
  EXPECT_NEAR(use.hits, 4.0, 1e-9);
}

TEST(RestorePays, WhereItTakesLessTimeThanThePrefill) {
  const PrefixSpeeds slow_card{.prefill_tokens_per_s = 1000, .restore_bytes_per_s = 10e6};
  EXPECT_FALSE(restore_pays(100, 2'000'000, slow_card));  // 0.2 s against 0.1 s
  EXPECT_TRUE(restore_pays(100, 900'000, slow_card));
}

TEST(RestorePays, WhileASpeedIsNotKnown) {
  EXPECT_TRUE(restore_pays(1, 1ull << 40, {.prefill_tokens_per_s = 1000}));
  EXPECT_TRUE(restore_pays(1, 1ull << 40, {.restore_bytes_per_s = 1}));
}

}  // namespace
}  // namespace rockllama
