#include "api/json_text.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

std::string nested(int depth) { return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}"; }

TEST(JsonText, TakesObjectsOnly) {
  EXPECT_TRUE(parse_object(R"({"a": 1})"));
  for (const char* body : {"", "[]", "1", "null", "{", "{\"a\":1}x", "{'a':1}"}) {
    ASSERT_FALSE(parse_object(body)) << body;
    EXPECT_EQ(parse_object(body).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(JsonText, RefusesDepthAbove64) {
  EXPECT_TRUE(parse_object(nested(64)));
  EXPECT_FALSE(parse_object(nested(65)));
  EXPECT_FALSE(parse_object(std::string(1'000'000, '[')));
}

TEST(JsonText, DoesNotCountBracketsInStrings) {
  EXPECT_TRUE(parse_object("{\"a\":\"\\\"" + std::string(100, '[') + "\"}"));
}

TEST(JsonText, RefusesWhatIsNotUtf8AndNumbersThatDoNotFit) {
  EXPECT_FALSE(parse_object("{\"a\":\"\xff\"}"));
  EXPECT_FALSE(parse_object(R"({"a":"\ud800"})"));
  EXPECT_FALSE(parse_object(R"({"a":1e999})"));
}

TEST(JsonText, NeverThrowsOnOutput) {
  EXPECT_EQ(quoted("a\"\n\xc3\xa4"), "\"a\\\"\\n\xc3\xa4\"");
  EXPECT_EQ(quoted("\xff"), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace rockllama::api
