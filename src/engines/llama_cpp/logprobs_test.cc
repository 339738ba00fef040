#include "engines/llama_cpp/logprobs.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace rockllama {
namespace {

TEST(Logprobs, AreThoseOfTheWholeVocabulary) {
  // Probabilities 1/2, 1/4, 1/4.
  const std::array<float, 3> logits = {std::log(2.0F) + 30, 30, 30};
  const LogprobRanking ranking = rank_logprobs(logits, 1, 2);
  EXPECT_EQ(ranking.chosen.token, 1);
  EXPECT_NEAR(ranking.chosen.logprob, std::log(0.25), 1e-5);
  ASSERT_EQ(ranking.top.size(), 2U);
  EXPECT_EQ(ranking.top[0].token, 0);
  EXPECT_NEAR(ranking.top[0].logprob, std::log(0.5), 1e-5);
}

TEST(Logprobs, AreNeverInfinite) {
  const std::array<float, 2> logits = {0, -std::numeric_limits<float>::infinity()};
  EXPECT_EQ(rank_logprobs(logits, 1, 0).chosen.logprob, -9999);
}

TEST(Logprobs, OfMoreTokensThanThereAreAreAllOfThem) {
  const std::array<float, 2> logits = {0, 1};
  EXPECT_EQ(rank_logprobs(logits, 0, 20).top.size(), 2U);
}

}  // namespace
}  // namespace rockllama
