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
  for (const char* body : {"{}", R"({"prompt":null})", R"({"prompt":[]})", R"({"prompt":["a","b"]})",
                           R"({"prompt":[1]})", R"({"prompt":1})"}) {
    EXPECT_EQ(prompt_of(body), "error: prompt") << body;
  }
}

TEST(CompletionRequest, SharesTheFieldsOfChats) {
  const auto call = parse_completion_request(R"({"prompt":"a","max_tokens":3,"use_cache":"c","stream":true})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.options.max_tokens, 3);
  EXPECT_EQ(call->request.use_cache, std::vector<std::string>{"c"});
  EXPECT_TRUE(call->stream);
  EXPECT_EQ(completion_param_of(R"("temperature":3)", ErrorCode::kInvalidArgument), "temperature");
}

TEST(CompletionRequest, RefusesWhatWouldChangeTheAnswer) {
  EXPECT_EQ(completion_param_of(R"("echo":true)", ErrorCode::kUnsupported), "echo");
  EXPECT_EQ(completion_param_of(R"("suffix":"x")", ErrorCode::kUnsupported), "suffix");
  EXPECT_EQ(completion_param_of(R"("best_of":2)", ErrorCode::kUnsupported), "best_of");
  EXPECT_EQ(completion_param_of(R"("echo":false,"suffix":null,"best_of":1,"logprobs":null)", ErrorCode::kUnsupported),
            "no error");
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
