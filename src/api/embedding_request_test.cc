#include "api/embedding_request.h"

#include <gmock/gmock.h>

#include "api/embedding_json.h"

namespace rockllama::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Tokens = std::vector<int32_t>;

std::vector<EmbeddingInput> inputs_of(const std::string& input) {
  const auto call = parse_embeddings_request(R"({"input":)" + input + "}");
  EXPECT_TRUE(call) << input;
  return call.value_or(EmbeddingsCall{}).question.inputs;
}

std::string embedding_fault(const std::string& body) {
  const auto call = parse_embeddings_request(body);
  return call ? "none" : call.error().param;
}

TEST(EmbeddingsRequest, TakesTextsAndTokensAloneAndInLists) {
  EXPECT_THAT(inputs_of(R"("a")"), ElementsAre(EmbeddingInput("a")));
  EXPECT_THAT(inputs_of(R"(["a","b"])"), ElementsAre(EmbeddingInput("a"), EmbeddingInput("b")));
  EXPECT_THAT(inputs_of("[1,2]"), ElementsAre(EmbeddingInput(Tokens{1, 2})));
  EXPECT_THAT(inputs_of("[[1,2],[3]]"), ElementsAre(EmbeddingInput(Tokens{1, 2}), EmbeddingInput(Tokens{3})));
}

TEST(EmbeddingsRequest, NamesTheInputThatIsWrong) {
  for (const char* body :
       {"{}", R"({"input":null})", R"({"input":""})", R"({"input":[]})", R"({"input":5})", R"({"input":{"a":1}})",
        R"({"input":[1,"a"]})", R"({"input":[1.5]})", R"({"input":[-1]})", R"({"input":[9999999999]})"}) {
    EXPECT_EQ(embedding_fault(body), "input") << body;
  }
  EXPECT_EQ(embedding_fault(R"({"input":["a",""]})"), "input[1]");
  EXPECT_EQ(embedding_fault(R"({"input":["a",1]})"), "input[1]");
  EXPECT_EQ(embedding_fault(R"({"input":[[1],[]]})"), "input[1]");
  EXPECT_EQ(embedding_fault(R"({"input":[["a"]]})"), "input[0]");
  EXPECT_EQ(embedding_fault(R"({"input":[null]})"), "input[0]");
}

TEST(EmbeddingsRequest, TakesAtMost2048Inputs) {
  const Json many(std::vector<std::string>(2049, "a"));
  EXPECT_EQ(embedding_fault(Json{{"input", many}}.dump()), "input");
}

TEST(EmbeddingsRequest, ReadsTheFormatAndTheDimensions) {
  const auto call = parse_embeddings_request(
      R"({"input":"a","model":"m","encoding_format":"base64","dimensions":576,"user":"somebody"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->model, "m");
  EXPECT_TRUE(call->as_base64);
  EXPECT_EQ(call->dimensions, 576);
  EXPECT_EQ(embedding_fault(R"({"input":"a","encoding_format":"hex"})"), "encoding_format");
  EXPECT_EQ(embedding_fault(R"({"input":"a","dimensions":0})"), "dimensions");
}

TEST(EmbeddingsJson, ListsThemInOrderWithTheUsage) {
  const OrderedJson json = embeddings_json({{{0.5F, -1}, {2, 4}}, 7}, "m", false);
  EXPECT_EQ(to_text(json), R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]},)"
                           R"({"object":"embedding","index":1,"embedding":[2.0,4.0]}],"model":"m",)"
                           R"("usage":{"prompt_tokens":7,"total_tokens":7}})");
}

TEST(EmbeddingsJson, WritesTheBytesOfTheFloatsAsBase64) {
  // 1.0F is 00 00 80 3f, -2.0F is 00 00 00 c0.
  EXPECT_THAT(to_text(embeddings_json({{{1, -2}}, 1}, "m", true)), HasSubstr(R"("embedding":"AACAPwAAAMA=")"));
}

}  // namespace
}  // namespace rockllama::api
