#include "api/generation_responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/completion_encoder.h"
#include "tests/support/recording_writer.h"

namespace rockllama::api {
namespace {

using testing::HasSubstr;

const CacheUse kHit{.name = "c", .tier = CacheTier::kDisk, .tokens = 40, .restore_ms = 0.25};

CompletionDone done_of(const CacheUse& cache) {
  return {.model = "m",
          .usage = {.prompt_tokens = 50, .completion_tokens = 2, .prefill_ms = 3},
          .cache = cache,
          .ttft_ms = 12.34,
          .total_ms = 20,
          .tokens_per_second = 100};
}

struct ResponderSetup {
  CompletionEncoder::Options encoding{};
  uint32_t prompts = 1;
  uint32_t candidates = 0;
  bool stream = false;
};

class GenerationResponderTest : public testing::Test {
 protected:
  GenerationResponder& make(const ResponderSetup& setup) {
    responder_ = std::make_unique<GenerationResponder>(
        GenerationResponder::Options{.prompts = setup.prompts,
                                     .choices = setup.encoding.choices / setup.prompts,
                                     .candidates = setup.candidates,
                                     .stream = setup.stream},
        std::make_unique<CompletionEncoder>(setup.encoding), writer_);
    responder_->attach({[this] { ++cancels_; }, [this](uint32_t /*choice*/, uint32_t tokens) { credit_ += tokens; }});
    return *responder_;
  }
  GenerationResponder& make_stream(const Dialect& dialect = kChatDialect, bool include_usage = false) {
    return make({.encoding = {.dialect = dialect, .request_id = "r", .created = 9, .include_usage = include_usage},
                 .stream = true});
  }

  std::shared_ptr<RecordingWriter> writer_ = std::make_shared<RecordingWriter>();
  std::unique_ptr<GenerationResponder> responder_;
  int cancels_ = 0;
  uint32_t credit_ = 0;
};

constexpr const char* kUsage =
    R"({"prompt_tokens":50,"completion_tokens":2,"total_tokens":52,"prompt_tokens_details":{"cached_tokens":40},)"
    R"("cache_hit":true,"cached_prompts":["c"],"cache":{"name":"c","tier":"disk","tokens":40,"restore_ms":0.3,)"
    R"("prefill_ms":3.0,"reason":null},"timings":{"ttft_ms":12.3,"total_ms":20.0,"tokens_per_second":100.0}})";

TEST_F(GenerationResponderTest, AnswersAChatWhole) {
  auto& responder = make({.encoding = {.request_id = "r", .created = 9}});
  responder.on_event(CompletionStarted{"m", kHit, 50});
  responder.on_event(CompletionText{{"Hel"}, 1});
  responder.on_event(CompletionText{{"lo"}, 1});
  EXPECT_FALSE(writer_->finished);
  responder.on_event(done_of(kHit));
  EXPECT_EQ(writer_->head.status, 200);
  EXPECT_EQ(writer_->header("x-prompt-cache"), "hit; name=c; tokens=40");
  EXPECT_EQ(
      writer_->bytes,
      std::string(R"({"id":"chatcmpl-r","object":"chat.completion","created":9,"model":"m","choices":[{"index":0,)"
                  R"("message":{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}],)"
                  R"("usage":)") +
          kUsage + "}");
}

TEST_F(GenerationResponderTest, AnswersATextWholeWithItsWarnings) {
  auto& responder = make({.encoding = {.dialect = kTextDialect, .request_id = "r", .created = 9}});
  responder.on_event(CompletionText{{"a"}, 1});
  CompletionDone done = done_of({.name = "x", .tier = CacheTier::kText, .reason = "stale"});
  done.reason = FinishReason::kLength;
  done.warnings = {"w"};
  responder.on_event(done);
  EXPECT_EQ(writer_->header("x-prompt-cache"), "text; name=x; tokens=0");
  EXPECT_THAT(writer_->bytes,
              HasSubstr(R"("choices":[{"index":0,"text":"a","logprobs":null,"finish_reason":"length"}])"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("cache_hit":false,"cached_prompts":null)"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("reason":"stale")"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("warnings":["w"])"));
}

TEST_F(GenerationResponderTest, ForgetsTheTextOfARunThatBeganAnew) {
  auto& responder = make({});
  responder.on_event(CompletionStarted{"m", {}, 50});
  for (int i = 0; i < 31; ++i) responder.on_event(CompletionText{{"lost "}, 1});
  responder.on_event(CompletionStarted{"m", {}, 50});
  responder.on_event(CompletionText{{"Hello"}, 1});
  EXPECT_EQ(credit_, 0u);
  responder.on_event(done_of({}));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("content":"Hello")"));
}

TEST_F(GenerationResponderTest, StreamsAChat) {
  auto& responder = make_stream();
  responder.on_event(CompletionProgress{1, 2});
  EXPECT_FALSE(writer_->begun);
  responder.on_event(CompletionStarted{"m", {}, 50});
  EXPECT_TRUE(writer_->begun);
  EXPECT_EQ(writer_->head.content_type, "text/event-stream");
  EXPECT_EQ(writer_->header("Cache-Control"), "no-cache");
  EXPECT_EQ(writer_->header("x-prompt-cache"), "miss; tokens=0");
  responder.on_event(CompletionText{{""}, 1});
  EXPECT_EQ(writer_->bytes, "");
  responder.on_event(CompletionText{{"a\"\n"}, 1});
  responder.on_event(done_of({}));
  const std::string head = R"(data: {"id":"chatcmpl-r","object":"chat.completion.chunk","created":9,"model":"m",)";
  EXPECT_EQ(writer_->bytes,
            head + R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)" +
                R"("finish_reason":null}]})" + "\n\n" + head +
                R"("choices":[{"index":0,"delta":{"content":"a\"\n"},"logprobs":null,"finish_reason":null}]})" +
                "\n\n" + head + R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})" +
                "\n\n" + "data: [DONE]\n\n");
  EXPECT_TRUE(writer_->finished);
}

TEST_F(GenerationResponderTest, StreamsATextWithUsage) {
  auto& responder = make_stream(kTextDialect, true);
  responder.on_event(CompletionStarted{"m", kHit, 50});
  responder.on_event(CompletionText{{"a"}, 1});
  responder.on_event(done_of(kHit));
  const std::string head = R"(data: {"id":"cmpl-r","object":"text_completion","created":9,"model":"m",)";
  EXPECT_EQ(writer_->bytes,
            head + R"("choices":[{"index":0,"text":"a","logprobs":null,"finish_reason":null}],"usage":null})" + "\n\n" +
                head + R"("choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}],"usage":null})" +
                "\n\n" + head + R"("choices":[],"usage":)" + kUsage + "}\n\ndata: [DONE]\n\n");
}

TEST_F(GenerationResponderTest, OpensAnEmptyAnswerWithItsRole) {
  auto& responder = make_stream();
  responder.on_event(done_of({}));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("role":"assistant")"));
}

TEST_F(GenerationResponderTest, AnswersAnEarlyErrorWithItsStatus) {
  auto& responder = make_stream();
  responder.on_event(Error{ErrorCode::kQueueFull, "busy", "", 7});
  EXPECT_EQ(writer_->head.status, 429);
  EXPECT_EQ(writer_->header("Retry-After"), "7");
  EXPECT_EQ(writer_->bytes,
            R"({"error":{"message":"busy","type":"rate_limit_error","param":null,"code":"queue_full"}})");
}

TEST_F(GenerationResponderTest, EndsABegunStreamWithAnErrorEvent) {
  auto& responder = make_stream();
  responder.on_event(CompletionStarted{"m", {}, 50});
  responder.on_event(Error{ErrorCode::kInternal, "died in /tmp/x"});
  EXPECT_EQ(writer_->bytes,
            "data: {\"error\":{\"message\":\"died in ...\",\"type\":\"server_error\","
            "\"param\":null,\"code\":\"internal_error\"}}\n\n");
  EXPECT_TRUE(writer_->finished);
  responder.on_event(CompletionText{{"late"}, 1});
  EXPECT_THAT(writer_->bytes, testing::Not(HasSubstr("late")));
}

TEST_F(GenerationResponderTest, BeatsWhileThereIsNothingToSay) {
  auto& responder = make_stream();
  EXPECT_TRUE(responder.heartbeat());
  EXPECT_TRUE(writer_->begun);
  EXPECT_EQ(writer_->header("x-prompt-cache"), "");
  EXPECT_EQ(writer_->bytes, ": heartbeat\n\n");
  writer_->bytes.clear();
  responder.on_event(CompletionStarted{"m", {}, 50});
  responder.on_event(CompletionText{{"a"}, 1});
  writer_->bytes.clear();
  EXPECT_TRUE(responder.heartbeat());
  EXPECT_EQ(writer_->bytes, "");
  EXPECT_TRUE(responder.heartbeat());
  EXPECT_EQ(writer_->bytes, ": heartbeat\n\n");
  responder.on_event(done_of({}));
  EXPECT_FALSE(responder.heartbeat());
}

TEST_F(GenerationResponderTest, GivesNoCreditToAClientThatDoesNotRead) {
  auto& responder = make_stream();
  writer_->pending = 1;
  for (int i = 0; i < 100; ++i) responder.on_event(CompletionText{{"a"}, 1});
  responder.on_drained();
  EXPECT_EQ(credit_, 0u);
  writer_->pending = 0;
  responder.on_drained();
  EXPECT_EQ(credit_, 100u);
}

TEST_F(GenerationResponderTest, GivesCreditBackForWholeResponsesAndForTokensWithoutText) {
  auto& responder = make({});
  writer_->pending = 1;
  for (int i = 0; i < 100; ++i) responder.on_event(CompletionText{{""}, 1});
  EXPECT_EQ(credit_, 96u);
}

TEST_F(GenerationResponderTest, CancelsWhenTheClientLeaves) {
  auto& responder = make({});
  responder.on_closed();
  responder.on_closed();
  EXPECT_EQ(cancels_, 1);
  responder.on_event(Error{ErrorCode::kCancelled, "cancelled"});
  EXPECT_EQ(writer_->head.status, 499);
}

TEST_F(GenerationResponderTest, CancelsOnceItKnowsWhat) {
  GenerationResponder responder({}, std::make_unique<CompletionEncoder>(CompletionEncoder::Options{}), writer_);
  responder.on_closed();
  responder.attach({[this] { ++cancels_; }, {}});
  EXPECT_EQ(cancels_, 1);
}

TEST_F(GenerationResponderTest, AnswersWithAllChoicesOnceTheLastHasEnded) {
  auto& responder = make({.encoding = {.choices = 2}});
  responder.on_event(CompletionText{{"b"}, 1}, 1);
  responder.on_event(CompletionText{{"a"}, 1}, 0);
  responder.on_event(done_of(kHit), 1);
  EXPECT_FALSE(writer_->finished);
  responder.on_event(done_of({}), 0);
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":0,"message":{"role":"assistant","content":"a"})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":1,"message":{"role":"assistant","content":"b"})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("prompt_tokens":50,"completion_tokens":4,"total_tokens":54)"));
}

TEST_F(GenerationResponderTest, StreamsEachChoiceWithItsIndex) {
  auto& responder = make({.encoding = {.choices = 2}, .stream = true});
  responder.on_event(CompletionText{{"b"}, 1}, 1);
  responder.on_event(done_of({}), 1);
  EXPECT_FALSE(writer_->finished);
  CompletionDone last = done_of({});
  last.warnings = {"w"};
  responder.on_event(last, 0);
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":1,"delta":{"content":"b"})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":1,"delta":{},"logprobs":null,"finish_reason":"stop"}]})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":0,"delta":{"role":"assistant","content":""})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("finish_reason":"stop"}],"warnings":["w"]})"));
  EXPECT_TRUE(writer_->finished);
}

TEST_F(GenerationResponderTest, CancelsTheOtherChoicesWhenOneFails) {
  auto& responder = make({.encoding = {.choices = 2}});
  responder.on_event(Error{ErrorCode::kInternal, "e"}, 1);
  EXPECT_EQ(writer_->head.status, 500);
  EXPECT_EQ(cancels_, 1);
  responder.on_event(Error{ErrorCode::kCancelled, "cancelled"}, 0);
  EXPECT_EQ(cancels_, 1);
}

TEST_F(GenerationResponderTest, TellsTheFingerprintAndTheTierInAWholeAnswer) {
  auto& responder = make({.encoding = {.service_tier = "flex"}});
  responder.on_event(CompletionStarted{"m", {}, 50, "0123456789abcdef0123456789abcdef"});
  responder.on_event(done_of({}));
  EXPECT_THAT(writer_->bytes,
              HasSubstr(R"("model":"m","system_fingerprint":"fp_0123456789abcdef","service_tier":"flex","choices":)"));
}

TEST_F(GenerationResponderTest, TellsTheFingerprintAndTheTierInEveryChunk) {
  auto& responder = make({.encoding = {.include_usage = true, .service_tier = "auto"}, .stream = true});
  responder.on_event(CompletionStarted{"m", {}, 50, "0123456789abcdef0123456789abcdef"});
  responder.on_event(CompletionText{{"a"}, 1});
  responder.on_event(CompletionText{{.reasoning = "b"}, 1});
  responder.on_event(done_of({}));
  size_t told = 0;
  const std::string both = R"("system_fingerprint":"fp_0123456789abcdef","service_tier":"auto")";
  for (size_t at = writer_->bytes.find(both); at != std::string::npos; at = writer_->bytes.find(both, at + 1)) ++told;
  EXPECT_EQ(told, 5u);  // the role, two pieces, the end, the usage
}

TEST_F(GenerationResponderTest, TellsTheBestCandidateOfEachPrompt) {
  auto& responder = make({.encoding = {.dialect = kTextDialect, .choices = 2}, .prompts = 2, .candidates = 2});
  const std::vector<float> logprobs = {-2, -1, -1, -2};
  for (uint32_t i = 0; i < 4; ++i) {
    const std::string text = "answer " + std::to_string(i);
    responder.on_event(CompletionText{{.text = text, .logprobs = {{{text, logprobs[i]}}}}, 1}, i);
    responder.on_event(done_of({}), i);
  }
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("choices":[{"index":0,"text":"answer 1","logprobs":null,)"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"({"index":1,"text":"answer 2","logprobs":null,)"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("prompt_tokens":100,"completion_tokens":8,"total_tokens":108)"));
}

TEST_F(GenerationResponderTest, AnswersWithToolCallsAndReasoning) {
  auto& responder = make({});
  responder.on_event(CompletionText{{.reasoning = "I see."}, 1});
  responder.on_event(CompletionText{{.tool_calls = {{0, "c", "f", "{"}}}, 1});
  responder.on_event(CompletionText{{.tool_calls = {{.index = 0, .arguments = "}"}}}, 1});
  CompletionDone done = done_of({});
  done.reason = FinishReason::kToolCalls;
  responder.on_event(done);
  EXPECT_THAT(writer_->bytes,
              HasSubstr(R"("message":{"role":"assistant","content":null,"reasoning_content":"I see.","tool_calls":[)"
                        R"({"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,)"
                        R"("finish_reason":"tool_calls"}])"));
}

TEST_F(GenerationResponderTest, StreamsToolCallsInParts) {
  auto& responder = make_stream();
  responder.on_event(CompletionText{{.reasoning = "I see."}, 1});
  responder.on_event(CompletionText{{.tool_calls = {{0, "c", "f", "{"}}}, 1});
  responder.on_event(CompletionText{{.tool_calls = {{.index = 0, .arguments = "}"}}}, 1});
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("delta":{"reasoning_content":"I see."})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("delta":{"tool_calls":[{"index":0,"id":"c","type":"function",)"
                                        R"("function":{"name":"f","arguments":"{"}}]})"));
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})"));
}

TEST_F(GenerationResponderTest, TellsLogprobsOfAChat) {
  auto& responder = make({.encoding = {.logprobs = true}});
  responder.on_event(CompletionText{{.text = "a", .logprobs = {{{"a", -0.5F}, {{"a", -0.5F}, {"b", -1.5F}}}}}, 1});
  responder.on_event(done_of({}));
  EXPECT_THAT(writer_->bytes,
              HasSubstr(R"("logprobs":{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[)"
                        R"({"token":"a","logprob":-0.5,"bytes":[97]},{"token":"b","logprob":-1.5,"bytes":[98]}]}],)"
                        R"("refusal":null})"));
}

TEST_F(GenerationResponderTest, TellsLogprobsOfATextWithTheirPlaces) {
  auto& responder = make({.encoding = {.dialect = kTextDialect, .logprobs = true}, .stream = true});
  responder.on_event(CompletionText{{.text = "\xc3\xa9", .logprobs = {{{"\xc3", -0.5F}}, {{"\xa9", -0.25F}}}}, 2});
  responder.on_event(CompletionText{{.text = "b", .logprobs = {{{"b", -1}}}}, 1});
  EXPECT_THAT(writer_->bytes, HasSubstr(R"("token_logprobs":[-0.5,-0.25],"top_logprobs":null,"text_offset":[0,1]})"));
  EXPECT_THAT(writer_->bytes,
              HasSubstr(R"({"tokens":["b"],"token_logprobs":[-1.0],"top_logprobs":null,"text_offset":[1]})"));
}

TEST_F(GenerationResponderTest, LeavesAFinishedGenerationAlone) {
  auto& responder = make({});
  responder.on_event(done_of({}));
  responder.on_closed();
  EXPECT_EQ(cancels_, 0);
}

}  // namespace
}  // namespace rockllama::api
