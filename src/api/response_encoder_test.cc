#include "api/response_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

using testing::ElementsAre;

// The data of each event.
std::vector<OrderedJson> events_of(const std::string& stream) {
  std::vector<OrderedJson> events;
  for (size_t at = stream.find("data: "); at != std::string::npos; at = stream.find("data: ", at + 1)) {
    events.push_back(OrderedJson::parse(stream.substr(at + 6, stream.find('\n', at) - at - 6)));
  }
  return events;
}

std::vector<std::string> types_of(const std::string& stream) {
  std::vector<std::string> types;
  for (const OrderedJson& event : events_of(stream)) types.push_back(event.at("type"));
  return types;
}

CompletionDone whole_run() {
  return {.model = "m",
          .usage = {.prompt_tokens = 50, .completion_tokens = 2},
          .cache = {.name = "c", .tier = CacheTier::kDisk, .tokens = 40}};
}

struct Kept {
  std::string id{};
  OrderedJson json{};
  ChatMessage answer{};
};

class ResponseEncoderTest : public testing::Test {
 protected:
  ResponseEncoderTest() { encoder_.set_model("m", ""); }

  std::string ended(FinishReason reason = FinishReason::kStop) {
    const std::string last = encoder_.choice_ending(0, reason, {});
    return last + encoder_.ending(whole_run());
  }

  Kept kept_;
  ResponseEncoder encoder_{{.suffix = "x",
                            .created = 9,
                            .echo = {{"metadata", {{"a", "b"}}}},
                            .keep = [this](const std::string& id, const std::string& json, const ChatMessage& answer) {
                              kept_ = {id, OrderedJson::parse(json), answer};
                            }}};
};

TEST_F(ResponseEncoderTest, AnswersWhole) {
  const AnswerPiece said{.text = "Hi", .reasoning = "hm", .tool_calls = {{0, "c1", "f", "{}"}, {1, "c2", "g", "{}"}}};
  const auto json = OrderedJson::parse(encoder_.whole({{said, FinishReason::kToolCalls}}, whole_run()));
  EXPECT_EQ(json.at("id"), "resp_x");
  EXPECT_EQ(json.at("object"), "response");
  EXPECT_EQ(json.at("status"), "completed");
  EXPECT_EQ(json.at("created_at"), 9);
  EXPECT_EQ(json.at("metadata").at("a"), "b");
  EXPECT_EQ(json.at("output").dump(),
            R"([{"id":"rs_x_0","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}],)"
            R"("status":"completed"},{"id":"msg_x_1","type":"message","status":"completed","role":"assistant",)"
            R"("content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hi"}]},)"
            R"({"id":"fc_x_2","type":"function_call","status":"completed","call_id":"c1","name":"f",)"
            R"("arguments":"{}"},{"id":"fc_x_3","type":"function_call","status":"completed","call_id":"c2",)"
            R"("name":"g","arguments":"{}"}])");
  EXPECT_EQ(json.at("usage").at("input_tokens"), 50);
  EXPECT_EQ(json.at("usage").at("input_tokens_details").at("cached_tokens"), 40);
  EXPECT_EQ(json.at("usage").at("output_tokens"), 2);
  EXPECT_EQ(json.at("usage").at("total_tokens"), 52);
  EXPECT_EQ(json.at("usage").at("cached_prompts").at(0), "c");
  EXPECT_EQ(kept_.id, "resp_x");
  EXPECT_EQ(kept_.json, json);
  const ChatMessage answer{.role = "assistant",
                           .content = "Hi",
                           .reasoning_content = "hm",
                           .tool_calls = {{"c1", "f", "{}"}, {"c2", "g", "{}"}}};
  EXPECT_EQ(kept_.answer, answer);
}

TEST_F(ResponseEncoderTest, SaysThatAnAnswerWasCutOff) {
  const AnswerPiece said{.tool_calls = {{0, "c1", "f", R"({"a":)"}}};
  CompletionDone done = whole_run();
  done.warnings = {"w"};
  const auto json = OrderedJson::parse(encoder_.whole({{said, FinishReason::kLength}}, done));
  EXPECT_EQ(json.at("status"), "incomplete");
  EXPECT_EQ(json.at("incomplete_details").at("reason"), "max_output_tokens");
  EXPECT_EQ(json.at("output").at(0).at("status"), "incomplete");
  EXPECT_EQ(json.at("warnings").at(0), "w");
  EXPECT_TRUE(kept_.answer.tool_calls.empty()) << "a call that cannot be read would break every later turn";
}

TEST_F(ResponseEncoderTest, StreamsAMessage) {
  std::string stream = encoder_.opening(0);
  stream += encoder_.piece(0, {.text = "a\n"});
  stream += encoder_.piece(0, {.text = "b"});
  stream += ended();
  EXPECT_THAT(types_of(stream),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
                          "response.output_text.done", "response.content_part.done", "response.output_item.done",
                          "response.completed"));
  const auto events = events_of(stream);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].at("sequence_number"), i);
  EXPECT_EQ(events[0].at("response").at("status"), "in_progress");
  EXPECT_EQ(events[2].at("item").at("content").size(), 0U);
  EXPECT_EQ(events[3].at("part").at("text"), "");
  EXPECT_EQ(events[4].dump(), R"({"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_x_0",)"
                              R"("output_index":0,"content_index":0,"delta":"a\n","logprobs":[]})");
  EXPECT_EQ(events[6].at("text"), "a\nb");
  EXPECT_EQ(events[8].at("item").at("content").at(0).at("text"), "a\nb");
  EXPECT_EQ(events[9].at("response"), kept_.json);
  EXPECT_EQ(stream.substr(0, stream.find('\n')), "event: response.created");
}

TEST_F(ResponseEncoderTest, StreamsReasoningAndCallsAsItemsOfTheirOwn) {
  std::string stream = encoder_.piece(0, {.reasoning = "hm"});
  stream += encoder_.piece(0, {.tool_calls = {{0, "c1", "f", "{"}}});
  stream += encoder_.piece(0, {.tool_calls = {{.index = 0, .arguments = "}"}, {1, "c2", "g", "{}"}}});
  stream += ended(FinishReason::kToolCalls);
  EXPECT_THAT(
      types_of(stream),
      ElementsAre("response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
                  "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                  "response.output_item.added", "response.function_call_arguments.delta",
                  "response.function_call_arguments.delta", "response.function_call_arguments.done",
                  "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta",
                  "response.function_call_arguments.done", "response.output_item.done", "response.completed"));
  const auto events = events_of(stream);
  EXPECT_EQ(events[6].at("item").dump(), R"({"id":"fc_x_1","type":"function_call","status":"in_progress",)"
                                         R"("call_id":"c1","name":"f","arguments":""})");
  EXPECT_EQ(events[9].at("arguments"), "{}");
  EXPECT_EQ(events[11].at("output_index"), 2);
  EXPECT_EQ(events[15].at("response").at("output").size(), 3U);
}

TEST_F(ResponseEncoderTest, StreamsWhatTheWholeAnswerSays) {
  for (const AnswerPiece& piece : {AnswerPiece{.reasoning = "h"}, AnswerPiece{.text = "a", .reasoning = "m"},
                                   AnswerPiece{.text = "b", .tool_calls = {{0, "c", "f", "{}"}}}}) {
    static_cast<void>(encoder_.piece(0, piece));
  }
  static_cast<void>(ended());
  ResponseEncoder whole({.suffix = "x", .created = 9, .echo = {{"metadata", {{"a", "b"}}}}});
  const AnswerPiece said{.text = "ab", .reasoning = "hm", .tool_calls = {{0, "c", "f", "{}"}}};
  EXPECT_EQ(kept_.json, OrderedJson::parse(whole.whole({{said, FinishReason::kStop}}, whole_run())));
}

TEST_F(ResponseEncoderTest, EndsAStreamThatWasCutOff) {
  std::string stream = encoder_.piece(0, {.text = "a"});
  stream += ended(FinishReason::kLength);
  const auto events = events_of(stream);
  EXPECT_EQ(events.back().at("type"), "response.incomplete");
  EXPECT_EQ(events[events.size() - 2].at("item").at("status"), "incomplete");
}

TEST_F(ResponseEncoderTest, EndsAnEmptyAnswer) {
  const std::string begun = encoder_.opening(0);
  EXPECT_THAT(types_of(begun + ended()), ElementsAre("response.created", "response.in_progress", "response.completed"));
  EXPECT_EQ(kept_.json.at("output").size(), 0U);
}

TEST_F(ResponseEncoderTest, TellsOfAFailureInTheWordsOfClients) {
  const std::string stream = encoder_.failure({ErrorCode::kInternal, "died in /tmp/x"});
  EXPECT_THAT(types_of(stream), ElementsAre("response.created", "response.in_progress", "response.failed"));
  const OrderedJson response = events_of(stream).back().at("response");
  EXPECT_EQ(response.at("status"), "failed");
  EXPECT_EQ(response.at("error").dump(), R"({"code":"server_error","message":"died in ..."})");
  EXPECT_EQ(kept_.id, "") << "what failed is not stored";
}

TEST_F(ResponseEncoderTest, TellsLogprobsOfWhatIsSaid) {
  std::string stream = encoder_.piece(0, {.text = "a", .logprobs = {{{"a", -0.5F}, {{"a", -0.5F}}}}});
  stream += ended();
  const auto events = events_of(stream);
  EXPECT_EQ(
      events[2].at("logprobs").dump(),
      R"([{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]}]}])");
  EXPECT_EQ(events[2].at("logprobs"), events[3].at("logprobs"));
}

}  // namespace
}  // namespace rockllama::api
