#include "engines/llama_cpp/llama_model.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::HasSubstr;

TEST(PoolingOfAModel, IsTheFilesUnlessTheSettingsNameOne) {
  const std::string last = std::to_string(LLAMA_POOLING_TYPE_LAST);
  EXPECT_EQ(pooling_of({}, "auto"), Pooling::kMean);
  EXPECT_EQ(pooling_of({.pooling_type = last, .causal = "true"}, "auto"), Pooling::kLast);
  EXPECT_EQ(pooling_of({.pooling_type = last}, "cls"), Pooling::kFirst);
}

TEST(PoolingOfAModel, IsRefusedWhereTokensSeeTheOnesBehindThem) {
  const auto refused = pooling_of({.pooling_type = std::to_string(LLAMA_POOLING_TYPE_MEAN), .causal = "false"}, "mean");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("not causal"));
}

TEST(PoolingOfAModel, IsRefusedWhereTextsAreRanked) {
  const auto refused = pooling_of({.pooling_type = std::to_string(LLAMA_POOLING_TYPE_RANK)}, "auto");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("ranks"));
}

}  // namespace
}  // namespace rockllama
