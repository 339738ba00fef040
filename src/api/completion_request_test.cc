#include "api/completion_request.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

std::string prompt_of(const std::string& body) {
  const auto call = parse_completion_request(body);
  return call ? std::get<TextPrompt>(call->request.prompt).text : "error: " + call.error().param;
}

std::string completion_param_of(const std::string& field, ErrorCode code) {
  const auto call = parse_completion_request(R"({"prompt":"a",)" + field + "}");
  if (call) return "no error";
  EXPECT_EQ(call.error().code, code);
  return call.error().param;
}

TEST(CompletionRequest, TakesOnePrompt) {
  EXPECT_EQ(prompt_of(R"({"prompt":"a"})"), "a");
  EXPECT_EQ(prompt_of(R"({"prompt":["a"]})"), "a");
  EXPECT_EQ(prompt_of(R"({"prompt":""})"), "");
  for (const char* body : {"{}", R"({"prompt":null})", R"({"prompt":[]})", R"({"prompt":1})", R"({"prompt":[-1]})",
                           R"({"prompt":[1,"a"]})", R"({"prompt":{}})"}) {
    EXPECT_EQ(prompt_of(body), "error: prompt") << body;
  }
  EXPECT_EQ(prompt_of(R"({"prompt":["a",1]})"), "error: prompt[1]");
  EXPECT_EQ(prompt_of(R"({"prompt":[[1],[]]})"), "error: prompt[1]");
}

TEST(CompletionRequest, TakesTokenIds) {
  const auto call = parse_completion_request(R"({"prompt":[1,2]})");
  ASSERT_TRUE(call);
  EXPECT_EQ(std::get<TextPrompt>(call->request.prompt), (TextPrompt{.text = "", .tokens = {1, 2}}));
  EXPECT_EQ(call->prompts(), 1U);
}

TEST(CompletionRequest, TakesSeveralPromptsWithTheSameSurroundings) {
  const auto call = parse_completion_request(R"({"prompt":["a",[1,2],"b"],"echo":true,"suffix":"end"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(std::get<TextPrompt>(call->request.prompt), (TextPrompt{"a", {}, "end", true}));
  EXPECT_EQ(call->further_prompts, (std::vector<TextPrompt>{{"", {1, 2}, "end", true}, {"b", {}, "end", true}}));
}

TEST(CompletionRequest, TakesNoMoreAnswersThanOneRequestMayHave) {
  std::string prompts = R"("a")";
  for (int i = 1; i < 32; ++i) prompts += R"(,"a")";
  EXPECT_EQ(prompt_of(R"({"n":2,"prompt":[)" + prompts + "]}"), "a");
  EXPECT_EQ(prompt_of(R"({"n":3,"prompt":[)" + prompts + "]}"), "error: prompt");
  EXPECT_EQ(prompt_of(R"({"best_of":3,"prompt":[)" + prompts + "]}"), "error: prompt");
}

TEST(CompletionRequest, SharesTheFieldsOfChats) {
  const auto call = parse_completion_request(R"({"prompt":"a","max_tokens":3,"use_cache":"c","stream":true})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.options.max_tokens, 3);
  EXPECT_EQ(call->request.use_cache, std::vector<std::string>{"c"});
  EXPECT_TRUE(call->stream);
  EXPECT_EQ(completion_param_of(R"("temperature":3)", ErrorCode::kInvalidArgument), "temperature");
}

TEST(CompletionRequest, RefusesAnEchoWithLogprobs) {
  EXPECT_EQ(completion_param_of(R"("echo":true,"logprobs":0)", ErrorCode::kUnsupported), "echo");
  EXPECT_EQ(completion_param_of(R"("echo":false,"suffix":null,"best_of":1,"logprobs":null)", ErrorCode::kUnsupported),
            "no error");
}

TEST(CompletionRequest, TakesAnEmptySuffixForNone) {
  const auto call = parse_completion_request(R"({"prompt":"a","suffix":""})");
  ASSERT_TRUE(call);
  EXPECT_EQ(std::get<TextPrompt>(call->request.prompt), TextPrompt{"a"});
}

TEST(CompletionRequest, TakesMoreCandidatesThanAnswers) {
  const auto candidates = [](const std::string& fields) {
    const auto call = parse_completion_request(R"({"prompt":"a",)" + fields + "}");
    return call ? call->generations_for_each() : 999;
  };
  EXPECT_EQ(candidates(R"("best_of":4,"n":2)"), 4U);
  EXPECT_EQ(candidates(R"("best_of":2,"n":2,"stream":true)"), 2U);
  EXPECT_EQ(completion_param_of(R"("best_of":2,"n":3)", ErrorCode::kInvalidArgument), "best_of");
  EXPECT_EQ(completion_param_of(R"("best_of":2,"stream":true)", ErrorCode::kInvalidArgument), "best_of");
  EXPECT_EQ(completion_param_of(R"("best_of":21)", ErrorCode::kInvalidArgument), "best_of");
}

TEST(CompletionRequest, ReadsLogprobsAsANumber) {
  const auto logprobs = [](const std::string& value) {
    const auto call = parse_completion_request(R"({"prompt":"a","logprobs":)" + value + "}");
    return call ? call->request.options.top_logprobs : std::optional<uint32_t>(999);
  };
  EXPECT_EQ(logprobs("null"), std::nullopt);
  EXPECT_EQ(logprobs("false"), std::nullopt);
  EXPECT_EQ(logprobs("0"), 0U);
  EXPECT_EQ(logprobs("5"), 5U);
  EXPECT_EQ(completion_param_of(R"("logprobs":21)", ErrorCode::kInvalidArgument), "logprobs");
  EXPECT_EQ(completion_param_of(R"("logprobs":true)", ErrorCode::kInvalidArgument), "logprobs");
}

}  // namespace
}  // namespace rockllama::api
