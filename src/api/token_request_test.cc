#include "api/token_request.h"

#include <gmock/gmock.h>

namespace rockllama::api {
namespace {

using ::testing::ElementsAre;

std::string tokenize_fault(const std::string& body) {
  const auto call = parse_tokenize_request(body);
  return call ? "none" : call.error().param;
}
std::string detokenize_fault(const std::string& body) {
  const auto call = parse_detokenize_request(body);
  return call ? "none" : call.error().param;
}

TEST(TokenizeRequest, ReadsTheTextAndItsFlags) {
  const auto plain = parse_tokenize_request(R"({"content":"a"})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->question, (TokenizeQuestion{"a", false, true}));
  EXPECT_FALSE(plain->with_pieces);
  const auto all = parse_tokenize_request(
      R"({"content":"","model":"m","add_special":true,"parse_special":false,"with_pieces":true})");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->question, (TokenizeQuestion{"", true, false}));
  EXPECT_EQ(all->model, "m");
  EXPECT_TRUE(all->with_pieces);
  EXPECT_EQ(tokenize_fault("{}"), "content");
  EXPECT_EQ(tokenize_fault(R"({"content":1})"), "content");
  EXPECT_EQ(tokenize_fault(R"({"content":"a","with_pieces":1})"), "with_pieces");
}

TEST(DetokenizeRequest, ReadsAListOfIds) {
  const auto call = parse_detokenize_request(R"({"tokens":[3,0]})");
  ASSERT_TRUE(call);
  EXPECT_THAT(call->question.tokens, ElementsAre(3, 0));
  EXPECT_TRUE(parse_detokenize_request(R"({"tokens":[]})"));
  for (const char* body : {"{}", R"({"tokens":1})", R"({"tokens":["a"]})", R"({"tokens":[-1]})"}) {
    EXPECT_EQ(detokenize_fault(body), "tokens") << body;
  }
}

TEST(TokensJson, ShowsAPieceThatIsNoUtf8AsBytes) {
  const Tokenized tokenized{{5, 6}, {"h\xc3\xa9", "\xc3"}};
  EXPECT_EQ(to_text(tokens_json(tokenized, false)), R"({"tokens":[5,6]})");
  EXPECT_EQ(to_text(tokens_json(tokenized, true)),
            "{\"tokens\":[{\"id\":5,\"piece\":\"h\xc3\xa9\"},{\"id\":6,\"piece\":[195]}]}");
}

}  // namespace
}  // namespace rockllama::api
