#include "api/chat_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace rockllama::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

CompletionCall parse(const std::string& fields) {
  const auto call = parse_chat_request(R"({"messages":[{"role":"user","content":"hi"}])" + fields + "}", false);
  EXPECT_TRUE(call) << fields << ": " << (call ? "" : call.error().message);
  return call.value_or(CompletionCall{});
}

GenerationOptions options(const std::string& fields) { return parse(fields).request.options; }
SamplingParams sampling(const std::string& fields) { return options(fields).sampling; }

std::string param_of(const std::string& body, ErrorCode code = ErrorCode::kInvalidArgument) {
  const auto call = parse_chat_request(body, false);
  if (call) return "no error";
  EXPECT_EQ(call.error().code, code) << body;
  EXPECT_FALSE(call.error().message.empty());
  return call.error().param;
}

std::string param_of_field(const std::string& field, ErrorCode code = ErrorCode::kInvalidArgument) {
  return param_of(R"({"messages":[{"role":"user","content":"hi"}],)" + field + "}", code);
}

std::vector<ChatMessage> messages(const std::string& list) {
  const auto call = parse_chat_request("{\"messages\":" + list + "}", false);
  EXPECT_TRUE(call) << (call ? "" : call.error().message);
  return call ? std::get<ChatPrompt>(call->request.prompt).messages : std::vector<ChatMessage>{};
}

TEST(ChatRequest, ReadsEveryRole) {
  EXPECT_THAT(messages(R"([{"role":"system","content":"s"},{"role":"developer","content":"d","name":"n"},
                           {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                           {"role":"assistant","content":null},{"role":"tool","content":"t","tool_call_id":"c"}])"),
              ElementsAre(ChatMessage{"system", "s"}, ChatMessage{"system", "d", "n"}, ChatMessage{"user", "ab"},
                          ChatMessage{"assistant", ""}, ChatMessage{"tool", "t", "", "c"}));
}

TEST(ChatRequest, NamesTheBadMessage) {
  const auto path = [](const std::string& list) { return param_of("{\"messages\":" + list + "}"); };
  EXPECT_EQ(param_of("{}"), "messages");
  EXPECT_EQ(path("[]"), "messages");
  EXPECT_EQ(path("{}"), "messages");
  EXPECT_EQ(path("[1]"), "messages[0]");
  EXPECT_EQ(path(R"([{"content":"a"}])"), "messages[0].role");
  EXPECT_EQ(path(R"([{"role":"user","content":"a"},{"role":"robot","content":"a"}])"), "messages[1].role");
  EXPECT_EQ(path(R"([{"role":"user"}])"), "messages[0].content");
  EXPECT_EQ(path(R"([{"role":"user","content":1}])"), "messages[0].content");
  EXPECT_EQ(path(R"([{"role":"user","content":[]}])"), "messages[0].content");
  EXPECT_EQ(path(R"([{"role":"user","content":["a"]}])"), "messages[0].content[0]");
  EXPECT_EQ(path(R"([{"role":"user","content":[{"text":"a"}]}])"), "messages[0].content[0].type");
  EXPECT_EQ(path(R"([{"role":"user","content":[{"type":"text"}]}])"), "messages[0].content[0].text");
}

TEST(ChatRequest, RefusesWhatIsNotText) {
  EXPECT_EQ(param_of(R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},
                         {"type":"image_url","image_url":{"url":"data:"}}]}]})",
                     ErrorCode::kUnsupportedContent),
            "messages[0].content[1]");
}

ChatPrompt chat_prompt_of(const std::string& fields) { return std::get<ChatPrompt>(parse(fields).request.prompt); }

TEST(ChatRequest, RefusesWhatWouldChangeTheAnswer) {
  const auto refused = [](const std::string& field) { return param_of_field(field, ErrorCode::kUnsupported); };
  EXPECT_EQ(refused(R"("functions":[{}])"), "functions");
  EXPECT_EQ(
      refused(R"("response_format":{"type":"json_object"},"tools":[{"type":"function","function":{"name":"f"}}])"),
      "response_format");
}

constexpr const char* kTools =
    R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

TEST(ChatRequest, ReadsToolsAndTheirChoice) {
  EXPECT_THAT(chat_prompt_of(kTools).tools, ElementsAre(ChatTool{"f", "", R"({"type":"object"})"}));
  const auto choice = [](const std::string& value) {
    return chat_prompt_of(std::string(kTools) + R"(,"tool_choice":)" + value);
  };
  EXPECT_EQ(chat_prompt_of(kTools).tool_choice, ToolChoice::kAuto);
  EXPECT_EQ(choice(R"("auto")").tool_choice, ToolChoice::kAuto);
  EXPECT_EQ(choice(R"("none")").tool_choice, ToolChoice::kNone);
  EXPECT_EQ(choice(R"("required")").tool_choice, ToolChoice::kRequired);
  const ChatPrompt named = choice(R"({"type":"function","function":{"name":"f"}})");
  EXPECT_EQ(named.tool_choice, ToolChoice::kRequired);
  EXPECT_EQ(named.required_tool, "f");
  EXPECT_EQ(chat_prompt_of(kTools).parallel_tool_calls, std::nullopt);
  EXPECT_EQ(chat_prompt_of(std::string(kTools) + R"(,"parallel_tool_calls":false)").parallel_tool_calls, false);
}

TEST(ChatRequest, NamesABadTool) {
  EXPECT_EQ(param_of_field(R"("tools":[{"type":"function"}])"), "tools[0].function");
  EXPECT_EQ(param_of_field(R"("tool_choice":"required")"), "tool_choice");
  const std::string tools = std::string(kTools).substr(1);
  EXPECT_EQ(param_of_field(tools + R"(,"tool_choice":"maybe")"), "tool_choice");
  EXPECT_EQ(param_of_field(tools + R"(,"tool_choice":{"type":"function","function":{"name":"g"}})"),
            "tool_choice.function");
  const std::string pattern(2000, '(');
  EXPECT_EQ(param_of_field(R"("tools":[{"type":"function","function":{"name":"f","parameters":{"pattern":")" + pattern +
                           R"("}}}])"),
            "tools[0].function.parameters");
}

TEST(ChatRequest, ReadsTheFormOfTheAnswer) {
  const auto schema = [](const std::string& format) {
    return chat_prompt_of(R"(,"response_format":)" + format).answer_schema;
  };
  EXPECT_EQ(schema(R"({"type":"text"})"), "");
  EXPECT_EQ(schema(R"({"type":"json_object"})"), R"({"type":"object"})");
  EXPECT_EQ(schema(R"({"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"array"}}})"),
            R"({"type":"array"})");
  EXPECT_EQ(param_of_field(R"("response_format":{"type":"yaml"})"), "response_format.type");
  EXPECT_EQ(param_of_field(R"("response_format":{"type":"json_schema"})"), "response_format.json_schema");
  EXPECT_EQ(param_of_field(R"("response_format":{"type":"json_schema","json_schema":{}})"),
            "response_format.json_schema.schema");
}

TEST(ChatRequest, ReadsToolCallsOfEarlierAnswers) {
  EXPECT_THAT(messages(R"([{"role":"assistant","content":null,"reasoning_content":"r",
                            "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}])"),
              ElementsAre(ChatMessage{
                  .role = "assistant", .reasoning_content = "r", .tool_calls = {{"c", "f", R"({"a":1})"}}}));
  const auto path = [](const std::string& calls) {
    return param_of(R"({"messages":[{"role":"assistant","tool_calls":)" + calls + "}]}");
  };
  EXPECT_EQ(path("[{}]"), "messages[0].tool_calls[0].function");
  EXPECT_EQ(path(R"([{"function":{"name":"f","arguments":"{"}}])"), "messages[0].tool_calls[0].function.arguments");
  EXPECT_EQ(path(R"([{"function":{"name":"f","arguments":")" + std::string(100, '[') + R"("}}])"),
            "messages[0].tool_calls[0].function.arguments");
  EXPECT_EQ(param_of(R"({"messages":[{"role":"user","content":"a","tool_calls":[{}]}]})"), "messages[0].tool_calls");
}

TEST(ChatRequest, PassesTemplateArguments) {
  const ChatPrompt prompt = chat_prompt_of(R"(,"reasoning_effort":"low","chat_template_kwargs":{"mood":["calm"]})");
  EXPECT_THAT(prompt.template_arguments,
              ElementsAre(Pair("reasoning_effort", R"("low")"), Pair("mood", R"(["calm"])")));
  EXPECT_TRUE(prompt.enable_thinking);
  EXPECT_FALSE(chat_prompt_of(R"(,"reasoning_effort":"none")").enable_thinking);
  EXPECT_FALSE(chat_prompt_of(R"(,"reasoning_effort":"high","enable_thinking":false)").enable_thinking);
  EXPECT_EQ(param_of_field(R"("reasoning_effort":"huge")"), "reasoning_effort");
}

TEST(ChatRequest, ReadsLogprobsAndChoices) {
  EXPECT_EQ(options("").top_logprobs, std::nullopt);
  EXPECT_EQ(options(R"(,"logprobs":true)").top_logprobs, 0U);
  EXPECT_EQ(options(R"(,"logprobs":true,"top_logprobs":20)").top_logprobs, 20U);
  EXPECT_EQ(param_of_field(R"("top_logprobs":2)"), "top_logprobs");
  EXPECT_EQ(param_of_field(R"("logprobs":true,"top_logprobs":21)"), "top_logprobs");
  EXPECT_EQ(parse("").choices, 1U);
  EXPECT_EQ(parse(R"(,"n":16)").choices, 16U);
  EXPECT_EQ(param_of_field(R"("n":17)"), "n");
}

TEST(ChatRequest, TakesDefaultsOfOtherClients) {
  const auto call = parse(R"(,"tools":[],"response_format":{"type":"text"},"logprobs":false,"n":1,"stop":null,
                             "temperature":null,"stream":null,"user":"u","tool_choice":"none","unknown":{})");
  EXPECT_EQ(call.request.options, GenerationOptions{});
  EXPECT_FALSE(call.stream);
}

TEST(ChatRequest, ReadsSampling) {
  const auto params = sampling(R"(,"temperature":0.5,"top_p":1,"top_k":-1,"min_p":0.25,"repetition_penalty":1.5,
      "frequency_penalty":-2,"presence_penalty":2,"mirostat":2,"mirostat_tau":5,"mirostat_eta":0.5,"seed":7,
      "logit_bias":{"12":-100,"5":0.5})");
  EXPECT_EQ(params.temperature, 0.5f);
  EXPECT_EQ(params.top_p, 1.0f);
  EXPECT_EQ(params.top_k, 0);
  EXPECT_EQ(params.min_p, 0.25f);
  EXPECT_EQ(params.repeat_penalty, 1.5f);
  EXPECT_EQ(params.frequency_penalty, -2.0f);
  EXPECT_EQ(params.presence_penalty, 2.0f);
  EXPECT_EQ(params.mirostat, 2);
  EXPECT_EQ(params.mirostat_tau, 5.0f);
  EXPECT_EQ(params.mirostat_eta, 0.5f);
  EXPECT_EQ(params.seed, 7u);
  EXPECT_THAT(params.logit_bias, testing::UnorderedElementsAre(Pair(12, -100.0f), Pair(5, 0.5f)));
}

TEST(ChatRequest, NamesTheBadField) {
  for (const char* field : {R"("model":1)",
                            R"("temperature":2.1)",
                            R"("temperature":"1")",
                            R"("top_p":-0.1)",
                            R"("top_k":-2)",
                            R"("top_k":1.5)",
                            R"("min_p":2)",
                            R"("repeat_penalty":0)",
                            R"("repetition_penalty":2.5)",
                            R"("frequency_penalty":3)",
                            R"("presence_penalty":-3)",
                            R"("mirostat":3)",
                            R"("mirostat_tau":-1)",
                            R"("mirostat_eta":2)",
                            R"("seed":"x")",
                            R"("seed":1.5)",
                            R"("max_tokens":0)",
                            R"("max_tokens":-2)",
                            R"("max_completion_tokens":"5")",
                            R"("stop":"")",
                            R"("stop":1)",
                            R"("logit_bias":[])",
                            R"("stream":"yes")",
                            R"("stream_options":true)",
                            R"("n":0)",
                            R"("cache_prompt":"maybe")",
                            R"("enable_thinking":1)",
                            R"("chat_template_kwargs":[])",
                            R"("tools":{})",
                            R"("response_format":"text")",
                            R"("logprobs":1)"}) {
    const std::string text = field;
    EXPECT_EQ(param_of_field(text), text.substr(1, text.find('"', 1) - 1)) << field;
  }
  EXPECT_EQ(param_of_field(R"("stop":["a",""])"), "stop[1]");
  EXPECT_EQ(param_of_field(R"("stop":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"])"), "stop");
  EXPECT_EQ(param_of_field(R"("logit_bias":{"x":1})"), "logit_bias.x");
  EXPECT_EQ(param_of_field(R"("logit_bias":{"1":101})"), "logit_bias.1");
  EXPECT_EQ(param_of_field(R"("logit_bias":{"1":null})"), "logit_bias.1");
  EXPECT_EQ(param_of_field(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage");
  EXPECT_EQ(param_of_field(R"("chat_template_kwargs":{"enable_thinking":1})"), "chat_template_kwargs.enable_thinking");
}

TEST(ChatRequest, FoldsSeedsAndMakesNegativeOnesRandom) {
  EXPECT_EQ(sampling(R"(,"seed":4294967298)").seed, 2u);
  EXPECT_EQ(sampling(R"(,"seed":18446744073709551617)").seed, 0u);
  EXPECT_EQ(sampling(R"(,"seed":-1)").seed, std::nullopt);
}

TEST(ChatRequest, LetsMaxCompletionTokensWin) {
  EXPECT_EQ(options("").max_tokens, -1);
  EXPECT_EQ(options(R"(,"max_tokens":5)").max_tokens, 5);
  EXPECT_EQ(options(R"(,"max_completion_tokens":7,"max_tokens":5)").max_tokens, 7);
  EXPECT_EQ(options(R"(,"max_tokens":-1)").max_tokens, std::numeric_limits<int32_t>::max());
}

TEST(ChatRequest, ReadsStopAndReuse) {
  EXPECT_THAT(options(R"(,"stop":"a")").stop, ElementsAre("a"));
  EXPECT_THAT(options(R"(,"stop":["a","b"])").stop, ElementsAre("a", "b"));
  EXPECT_EQ(options(R"(,"cache_prompt":true)").reuse, ReusePolicy::kAll);
  EXPECT_EQ(options(R"(,"cache_prompt":false)").reuse, ReusePolicy::kNone);
  EXPECT_EQ(options(R"(,"cache_prompt":"exact")").reuse, ReusePolicy::kExact);
}

TEST(ChatRequest, NeverRefusesACacheName) {
  EXPECT_THAT(parse(R"(,"use_cache":"a")").request.use_cache, ElementsAre("a"));
  EXPECT_THAT(parse(R"(,"use_cache":["a","b"])").request.use_cache, ElementsAre("a", "b"));
  EXPECT_THAT(parse(R"(,"use_cache":["a","b"])").request.use_cache_problem, IsEmpty());
  for (const char* odd : {"null", "1", "\"\"", "[]", "{}", "[\"\"]"}) {
    const auto request = parse(std::string(",\"use_cache\":") + odd).request;
    EXPECT_THAT(request.use_cache, IsEmpty()) << odd;
    EXPECT_THAT(request.use_cache_problem, HasSubstr("use_cache")) << odd;
  }
  std::string many;
  for (int i = 0; i < 40; ++i) many += "\"c" + std::to_string(i / 2) + "\",";
  const auto limited = parse(",\"use_cache\":[" + many + "\"z\"]").request;
  EXPECT_EQ(limited.use_cache.size(), 16u);
  EXPECT_EQ(limited.use_cache.back(), "c15");
  EXPECT_THAT(limited.use_cache_problem, HasSubstr("16"));
  const auto mixed = parse(R"(,"use_cache":[1,"b"])").request;
  EXPECT_THAT(mixed.use_cache, ElementsAre("b"));
  EXPECT_FALSE(mixed.use_cache_problem.empty());
}

TEST(ChatRequest, ReadsModelStreamAndThinking) {
  const auto call = parse(R"(,"model":"m@c","stream":true,"stream_options":{"include_usage":true},
                             "chat_template_kwargs":{"enable_thinking":true,"other":1})");
  EXPECT_EQ(call.request.model, "m@c");
  EXPECT_TRUE(call.stream);
  EXPECT_TRUE(call.include_usage);
  EXPECT_TRUE(std::get<ChatPrompt>(call.request.prompt).enable_thinking);
  const auto unsaid = parse_chat_request(R"({"messages":[{"role":"user","content":"hi"}]})", true);
  EXPECT_TRUE(std::get<ChatPrompt>(unsaid->request.prompt).enable_thinking);
}

}  // namespace
}  // namespace rockllama::api
