#include "base/json_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace rockllama {
namespace {

std::string nested(int depth) {
  const auto size = static_cast<size_t>(depth);
  return std::string(size, '[') + std::string(size, ']');
}

TEST(JsonDepth, AllowsTheLimitAndNoMore) {
  EXPECT_FALSE(nested_too_deep(nested(kMaxJsonDepth)));
  EXPECT_TRUE(nested_too_deep(nested(kMaxJsonDepth + 1)));
  EXPECT_TRUE(nested_too_deep(nested(1'000'000)));
}

TEST(JsonDepth, CountsWhatIsOpenNotWhatThereIs) {
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "{},";
  EXPECT_FALSE(nested_too_deep(wide + "{}]"));
}

TEST(JsonDepth, PassesOverStringsAndTheirEscapes) {
  EXPECT_FALSE(nested_too_deep("\"" + nested(100) + "\""));
  EXPECT_FALSE(nested_too_deep("\"\\\"" + nested(100) + "\""));
  EXPECT_TRUE(nested_too_deep("\"\\\\\"" + nested(100)));
}

}  // namespace
}  // namespace rockllama
