#include "api/response_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ResponseCall parse_response(const std::string& fields) {
  const auto call = parse_response_request(R"({"input":"hi")" + fields + "}", false);
  EXPECT_TRUE(call) << fields << ": " << (call ? "" : call.error().message);
  return call.value_or(ResponseCall{.call = {.request = {.prompt = ChatPrompt{}}}});
}

ChatPrompt chat_of_fields(const std::string& fields) {
  return std::get<ChatPrompt>(parse_response(fields).call.request.prompt);
}

std::vector<ChatMessage> input_messages(const std::string& input) {
  const auto call = parse_response_request("{\"input\":" + input + "}", false);
  EXPECT_TRUE(call) << (call ? "" : call.error().message);
  return call ? std::get<ChatPrompt>(call->call.request.prompt).messages : std::vector<ChatMessage>{};
}

std::string refused_param(const std::string& body, ErrorCode code = ErrorCode::kInvalidArgument) {
  const auto call = parse_response_request(body, false);
  if (call) return "no error";
  EXPECT_EQ(call.error().code, code) << body;
  EXPECT_FALSE(call.error().message.empty());
  return call.error().param;
}

std::string refused_field(const std::string& field, ErrorCode code = ErrorCode::kInvalidArgument) {
  return refused_param(R"({"input":"hi",)" + field + "}", code);
}

std::string refused_item(const std::string& item, ErrorCode code = ErrorCode::kInvalidArgument) {
  return refused_param("{\"input\":[" + item + "]}", code);
}

constexpr const char* kResponseTools =
    R"(,"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true}])";

TEST(ResponseRequest, TakesATextAsTheUsersMessage) {
  EXPECT_THAT(input_messages("\"hi\""), ElementsAre(ChatMessage{"user", "hi"}));
}

TEST(ResponseRequest, ReadsMessagesOfEveryRole) {
  EXPECT_THAT(input_messages(R"([{"role":"developer","content":"d"},
                                 {"type":"message","role":"user","content":[{"type":"input_text","text":"a"},
                                                                            {"type":"input_text","text":"b"}]},
                                 {"type":"message","id":"msg_1","status":"completed","role":"assistant",
                                  "content":[{"type":"output_text","text":"c","annotations":[]},
                                             {"type":"refusal","refusal":"no"}]}])"),
              ElementsAre(ChatMessage{"system", "d"}, ChatMessage{"user", "ab"}, ChatMessage{"assistant", "cno"}));
}

TEST(ResponseRequest, JoinsWhatOneAssistantDidInARow) {
  const auto messages = input_messages(R"([
      {"role":"user","content":"q"},
      {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
      {"role":"assistant","content":"wait"},
      {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
      {"type":"function_call","call_id":"c2","name":"g","arguments":"{\"a\":1}"},
      {"type":"function_call_output","call_id":"c1","output":"one"},
      {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]},
      {"role":"assistant","content":"done"},
      {"role":"assistant","content":"really"}])");
  const ChatMessage asked{.role = "assistant",
                          .content = "wait",
                          .reasoning_content = "hm",
                          .tool_calls = {{"c1", "f", "{}"}, {"c2", "g", R"({"a":1})"}}};
  EXPECT_THAT(messages, ElementsAre(ChatMessage{"user", "q"}, asked, ChatMessage{"tool", "one", "", "c1"},
                                    ChatMessage{"tool", "two", "", "c2"}, ChatMessage{"assistant", "done"},
                                    ChatMessage{"assistant", "really"}));
}

TEST(ResponseRequest, TakesTheSummaryWhereThereIsNoReasoning) {
  const auto messages = input_messages(R"([{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}]}])");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages.front().reasoning_content, "s");
}

TEST(ResponseRequest, NamesTheBadItem) {
  EXPECT_EQ(refused_param("{}"), "input");
  EXPECT_EQ(refused_param(R"({"input":[]})"), "input");
  EXPECT_EQ(refused_param(R"({"input":3})"), "input");
  EXPECT_EQ(refused_item("1"), "input[0]");
  EXPECT_EQ(refused_item("{}"), "input[0].role");
  EXPECT_EQ(refused_item(R"({"role":"tool","content":"a"})"), "input[0].role");
  EXPECT_EQ(refused_item(R"({"role":"user"})"), "input[0].content");
  EXPECT_EQ(refused_item(R"({"role":"user","content":[1]})"), "input[0].content[0]");
  EXPECT_EQ(refused_item(R"({"role":"user","content":[{"type":"input_text"}]})"), "input[0].content[0].text");
  EXPECT_EQ(refused_item(R"({"type":"function_call","call_id":"c","arguments":"{}"})"), "input[0].name");
  EXPECT_EQ(refused_item(R"({"type":"function_call","name":"f","arguments":"{"})"), "input[0].arguments");
  EXPECT_EQ(refused_item(R"({"type":"function_call_output","call_id":"c"})"), "input[0].output");
}

TEST(ResponseRequest, RefusesWhatItDoesNotServe) {
  EXPECT_EQ(refused_item(R"({"role":"user","content":[{"type":"input_image","image_url":"u"}]})",
                         ErrorCode::kUnsupportedContent),
            "input[0].content[0]");
  EXPECT_EQ(refused_item(R"({"type":"item_reference","id":"x"})", ErrorCode::kUnsupported), "input[0].type");
  EXPECT_EQ(refused_field(R"("tools":[{"type":"web_search"}])", ErrorCode::kUnsupported), "tools[0].type");
  EXPECT_EQ(refused_field(R"("background":true)", ErrorCode::kUnsupported), "background");
  EXPECT_EQ(refused_field(R"("conversation":"c")", ErrorCode::kUnsupported), "conversation");
  EXPECT_EQ(refused_field(R"("prompt":{"id":"p"})", ErrorCode::kUnsupported), "prompt");
  EXPECT_EQ(refused_field(R"("truncation":"auto")", ErrorCode::kUnsupported), "truncation");
  EXPECT_EQ(refused_field(R"("truncation":"x")"), "truncation");
}

TEST(ResponseRequest, ReadsToolsBesideTheirType) {
  const ChatPrompt prompt =
      chat_of_fields(std::string(kResponseTools) + R"(,"tool_choice":{"type":"function","name":"f"})");
  EXPECT_THAT(prompt.tools, ElementsAre(ChatTool{"f", "d", R"({"type":"object"})"}));
  EXPECT_EQ(prompt.tool_choice, ToolChoice::kRequired);
  EXPECT_EQ(prompt.required_tool, "f");
  EXPECT_EQ(chat_of_fields(std::string(kResponseTools) + R"(,"tool_choice":"none")").tool_choice, ToolChoice::kNone);
}

TEST(ResponseRequest, NamesTheBadTool) {
  EXPECT_EQ(refused_field(R"("tools":[{"type":"function"}])"), "tools[0].name");
  EXPECT_EQ(refused_field(R"("tools":[{"name":"f"}])"), "tools[0].type");
  EXPECT_EQ(refused_field(R"("tools":[{"type":"function","name":"f"},{"type":"function","name":"f"}])"),
            "tools[1].name");
  EXPECT_EQ(refused_field(R"("tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"})"),
            "tool_choice.name");
}

TEST(ResponseRequest, ReadsTheFormOfTheText) {
  EXPECT_EQ(chat_of_fields(R"(,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}})")
                .answer_schema,
            R"({"type":"object"})");
  EXPECT_EQ(chat_of_fields(R"(,"text":{"format":{"type":"text"},"verbosity":"low"})").answer_schema, "");
  EXPECT_EQ(chat_of_fields(R"(,"text":{})").answer_schema, "");
  EXPECT_EQ(refused_field(R"("text":{"format":{"type":"json_schema"}})"), "text.format.schema");
  EXPECT_EQ(refused_field(R"("text":{"format":{"type":"xml"}})"), "text.format.type");
  EXPECT_EQ(refused_field(R"("tools":[{"type":"function","name":"f"}],"text":{"format":{"type":"json_object"}})",
                          ErrorCode::kUnsupported),
            "text.format");
}

TEST(ResponseRequest, ReadsTheEffortOfReasoning) {
  EXPECT_TRUE(chat_of_fields(R"(,"reasoning":{"effort":"low","summary":"auto"})").enable_thinking);
  EXPECT_FALSE(chat_of_fields(R"(,"reasoning":{"effort":"low"},"enable_thinking":false)").enable_thinking);
  EXPECT_EQ(refused_field(R"("reasoning":{"effort":"odd"})"), "reasoning.effort");
}

TEST(ResponseRequest, ReadsLimitsAndLogprobs) {
  EXPECT_EQ(parse_response("").call.request.options.max_tokens, -1);
  EXPECT_EQ(parse_response(R"(,"max_output_tokens":7,"max_tokens":9)").call.request.options.max_tokens, 7);
  EXPECT_EQ(refused_field(R"("max_output_tokens":0)"), "max_output_tokens");
  EXPECT_EQ(parse_response("").call.request.options.top_logprobs, std::nullopt);
  EXPECT_EQ(parse_response(R"(,"top_logprobs":3)").call.request.options.top_logprobs, 3U);
  EXPECT_EQ(parse_response(R"(,"include":["x","message.output_text.logprobs"])").call.request.options.top_logprobs, 0U);
  EXPECT_EQ(parse_response(R"(,"n":3)").call.choices, 1U);
}

TEST(ResponseRequest, RepeatsWhatWasAsked) {
  const ResponseCall call = parse_response(R"(,"temperature":0.5,"metadata":{"a":"b"},"user":null,"store":false)");
  EXPECT_FALSE(call.store);
  EXPECT_EQ(call.echo.at("temperature"), 0.5);
  EXPECT_EQ(call.echo.at("metadata").at("a"), "b");
  EXPECT_EQ(call.echo.at("store"), false);
  EXPECT_EQ(call.echo.at("tool_choice"), "auto");
  EXPECT_TRUE(call.echo.at("user").is_null());
  EXPECT_EQ(refused_field(R"("metadata":[1])"), "metadata");
}

TEST(ResponseRequest, PutsInstructionsAndWhatWasSaidBeforeTheInput) {
  const std::vector<ChatMessage> before = {{"user", "a"}, {"assistant", "b"}};
  EXPECT_THAT(whole_conversation("i", before, {{"user", "c"}}),
              ElementsAre(ChatMessage{"system", "i"}, before[0], before[1], ChatMessage{"user", "c"}));
  EXPECT_THAT(whole_conversation("", {}, {}), IsEmpty());
}

}  // namespace
}  // namespace rockllama::api
