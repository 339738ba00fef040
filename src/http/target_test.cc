#include "http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Target, SplitsPathAndQuery) {
  const auto target = parse_target("/v1/cache/a%20b?binary_only=true&x&&y=1+2%21#part");
  EXPECT_EQ(target.path, "/v1/cache/a%20b");
  EXPECT_THAT(target.query, ElementsAre(Pair("binary_only", "true"), Pair("x", ""), Pair("y", "1 2!")));
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_EQ(parse_target("http://host:80/health?x=1").path, "/health");
  EXPECT_EQ(parse_target("http://host").path, "/");
  EXPECT_EQ(parse_target("").path, "/");
  EXPECT_EQ(parse_target("*").path, "*");
}

TEST(Target, DecodesEscapesAndKeepsBadOnes) {
  EXPECT_EQ(percent_decode("a%40b%2Fc"), "a@b/c");
  EXPECT_EQ(percent_decode("%"), "%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%C3%A9"), "%zz\xC3\xA9");
}

}  // namespace
}  // namespace rockllama::http
