#include "engine/pooling.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

const std::vector<float> kRows{1, 2, 3, 6, 5, 1};  // three tokens of two values

std::vector<float> pooled(Pooling pooling, bool normalize = false) {
  Pooler pooler(pooling, normalize);
  pooler.add(kRows, 2);
  return pooler.take();
}

TEST(Pooler, TakesTheMeanTheFirstOrTheLastToken) {
  EXPECT_THAT(pooled(Pooling::kMean), ElementsAre(3, 3));
  EXPECT_THAT(pooled(Pooling::kFirst), ElementsAre(1, 2));
  EXPECT_THAT(pooled(Pooling::kLast), ElementsAre(5, 1));
}

TEST(Pooler, GivesTheSameForRowsThatComeInPieces) {
  for (const Pooling pooling : {Pooling::kMean, Pooling::kFirst, Pooling::kLast}) {
    Pooler pooler(pooling, true);
    for (size_t row = 0; row < 3; ++row) pooler.add(std::span(kRows).subspan(row * 2, 2), 2);
    EXPECT_EQ(pooler.tokens(), 3u);
    EXPECT_EQ(pooler.take(), pooled(pooling, true));
  }
}

TEST(Pooler, ScalesToLengthOneWhereAsked) {
  Pooler pooler(Pooling::kLast, true);
  pooler.add(std::vector<float>{3, -4}, 2);
  EXPECT_THAT(pooler.take(), ElementsAre(FloatEq(0.6F), FloatEq(-0.8F)));
}

TEST(Pooler, LeavesAVectorOfZerosAsItIs) {
  Pooler pooler(Pooling::kMean, true);
  pooler.add(std::vector<float>{0, 0}, 2);
  EXPECT_THAT(pooler.take(), ElementsAre(0, 0));
}

TEST(Pooler, BeginsANewTextAfterEachVector) {
  Pooler pooler(Pooling::kMean, false);
  pooler.add(std::vector<float>{9, 9}, 2);
  static_cast<void>(pooler.take());
  EXPECT_EQ(pooler.tokens(), 0u);
  pooler.add(kRows, 2);
  EXPECT_THAT(pooler.take(), ElementsAre(3, 3));
}

TEST(PoolingNamed, LeavesAutoToTheModel) {
  EXPECT_EQ(pooling_named("mean", Pooling::kLast), Pooling::kMean);
  EXPECT_EQ(pooling_named("cls", Pooling::kLast), Pooling::kFirst);
  EXPECT_EQ(pooling_named("last", Pooling::kMean), Pooling::kLast);
  EXPECT_EQ(pooling_named("auto", Pooling::kLast), Pooling::kLast);
}

}  // namespace
}  // namespace rockllama
