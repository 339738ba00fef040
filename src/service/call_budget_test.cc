#include "service/call_budget.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(CallBudget, AdmitsAMinutesRequestsAtOnceAndThenOneAfterTheOther) {
  CallBudget budget({.requests_per_minute = 3});
  EXPECT_EQ(budget.take(1000).remaining, 2u);
  EXPECT_EQ(budget.take(1000).remaining, 1u);
  EXPECT_TRUE(budget.take(1000).admitted);
  const CallVerdict refused = budget.take(1000);
  EXPECT_FALSE(refused.admitted);
  EXPECT_FALSE(refused.too_many_at_once);
  EXPECT_DOUBLE_EQ(refused.retry_ms, 20'000);
  EXPECT_DOUBLE_EQ(refused.reset_ms, 60'000);
  EXPECT_FALSE(budget.take(20'999).admitted);
  EXPECT_TRUE(budget.take(21'001).admitted);
  EXPECT_FALSE(budget.take(21'001).admitted);
}

TEST(CallBudget, SavesNoMoreThanAMinutesRequests) {
  CallBudget budget({.requests_per_minute = 2});
  EXPECT_EQ(budget.take(1e9).remaining, 1u);
  EXPECT_TRUE(budget.take(1e9).admitted);
  EXPECT_FALSE(budget.take(1e9).admitted);
}

TEST(CallBudget, AdmitsSoManyAtOnce) {
  CallBudget budget({.parallel = 2});
  EXPECT_TRUE(budget.take(0).admitted);
  EXPECT_TRUE(budget.take(0).admitted);
  const CallVerdict refused = budget.take(0);
  EXPECT_FALSE(refused.admitted);
  EXPECT_TRUE(refused.too_many_at_once);
  budget.ended();
  EXPECT_TRUE(budget.take(0).admitted);
}

TEST(CallBudget, CountsNoRequestThatWasRefusedForOthersAtWork) {
  CallBudget budget({.requests_per_minute = 2, .parallel = 1});
  EXPECT_TRUE(budget.take(0).admitted);
  EXPECT_EQ(budget.take(0).remaining, 1u);
  EXPECT_EQ(budget.take(0).remaining, 1u);
  budget.ended();
  EXPECT_TRUE(budget.take(0).admitted);
}

}  // namespace
}  // namespace rockllama
