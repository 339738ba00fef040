#include "api/answer_check.h"

#include <gmock/gmock.h>

namespace rockllama::api {
namespace {

using testing::HasSubstr;

// What is told of the answer, or why it does not fit.
std::string checked(const std::string& schema, const std::string& answer) {
  const auto check = make_answer_check(schema);
  if (!check) return "no check: " + check.error().message;
  const auto told = (*check)(answer);
  return told ? *told : "no: " + told.error().message;
}

constexpr const char* kPerson = R"({"type":"object","properties":{"name":{"type":"string","minLength":1},)"
                                R"("age":{"type":"integer","minimum":0}},"required":["name","age"],)"
                                R"("additionalProperties":false})";

TEST(AnswerCheck, TellsWhatFits) {
  EXPECT_EQ(checked(R"({"type":"object"})", R"({"any":[1]})"), R"({"any":[1]})");
  EXPECT_EQ(checked(kPerson, R"({"age":3,"name":"Bo"})"), R"({"age":3,"name":"Bo"})");
}

TEST(AnswerCheck, SaysWhatDoesNotFit) {
  EXPECT_THAT(checked(kPerson, "Bo is three."), HasSubstr("no: it is no JSON"));
  EXPECT_THAT(checked(kPerson, R"({"name":"Bo"})"), HasSubstr("age"));
  for (const char* answer : {R"({"age":-1,"name":"Bo"})", R"({"age":"3","name":"Bo"})", R"({"age":3,"name":""})",
                             R"({"age":3,"name":"Bo","more":1})", "[]", ""}) {
    EXPECT_THAT(checked(kPerson, answer), testing::StartsWith("no: ")) << answer;
  }
}

TEST(AnswerCheck, TakesOffAMarkdownFence) {
  EXPECT_EQ(checked(R"({"type":"object"})", "\n```json\n{\"a\": 1}\n```\n"), R"({"a": 1})");
  EXPECT_EQ(without_fence("```\n```"), "");
  EXPECT_EQ(without_fence("```"), "```");
  EXPECT_EQ(without_fence("  \n"), "");
  EXPECT_EQ(without_fence("Here: ```\n{}\n```"), "Here: ```\n{}\n```");
}

TEST(AnswerCheck, FollowsReferencesAndCombinations) {
  const std::string schema =
      R"({"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"b":{"anyOf":[{"type":"null"},{"const":"x"}]}},)"
      R"("required":["a"],"$defs":{"n":{"enum":[1,2]}}})";
  EXPECT_EQ(checked(schema, R"({"a":2,"b":null})"), R"({"a":2,"b":null})");
  EXPECT_THAT(checked(schema, R"({"a":3})"), testing::StartsWith("no: "));
  EXPECT_THAT(checked(schema, R"({"a":1,"b":"y"})"), testing::StartsWith("no: "));
}

TEST(AnswerCheck, KnowsTheFirstItemsOfAList) {
  const std::string schema = R"({"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"integer"}})";
  EXPECT_EQ(checked(schema, R"(["a",1,2])"), R"(["a",1,2])");
  EXPECT_THAT(checked(schema, R"(["a","b"])"), testing::StartsWith("no: "));
  EXPECT_THAT(checked(R"({"type":"array","items":false})", "[1]"), testing::StartsWith("no: "));
  EXPECT_EQ(checked(R"({"type":"array","items":true})", "[1]"), "[1]");
}

TEST(AnswerCheck, LooksPastPatternsAndFormats) {
  const std::string schema = R"({"type":"object","properties":{"pattern":{"type":"string","pattern":"(a*)*b",)"
                             R"("format":"date"}}})";
  const std::string answer = R"({"pattern":")" + std::string(100000, 'a') + R"("})";
  EXPECT_EQ(checked(schema, answer), answer);
  EXPECT_EQ(*plain_schema(Json::parse(schema)),
            Json::parse(R"({"type":"object","properties":{"pattern":{"type":"string"}}})"));
}

TEST(AnswerCheck, RefusesSchemasThatNeverEnd) {
  for (const char* schema :
       {R"({"$ref":"#"})", R"({"properties":{"next":{"$ref":"#"}}})", R"({"allOf":[{"$ref":"#"}]})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}})", R"({"$ref":"http://example.org/x"})",
        R"({"$ref":"#/nowhere"})", R"({"$ref":1})"}) {
    const auto check = make_answer_check(schema);
    ASSERT_FALSE(check) << schema;
    EXPECT_EQ(check.error().code, ErrorCode::kUnsupported) << schema;
    EXPECT_EQ(check.error().param, "response_format") << schema;
  }
}

TEST(AnswerCheck, RefusesWhatIsNoSchema) {
  for (const char* schema : {R"({"type":5})", R"({"required":"a"})", R"({"properties":1})", R"({"anyOf":1})"}) {
    EXPECT_THAT(checked(schema, "{}"), testing::StartsWith("no check: ")) << schema;
  }
}

TEST(AnswerCheck, TakesNoAnswerThatIsNestedTooDeep) {
  EXPECT_THAT(checked("{}", std::string(5000, '[') + std::string(5000, ']')), HasSubstr("nested"));
}

}  // namespace
}  // namespace rockllama::api
