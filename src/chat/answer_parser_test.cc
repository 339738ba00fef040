// Answers as models of several families write them, whole and cut at every byte.
#include "chat/answer_parser.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "chat/chat_template.h"

namespace rockllama {
namespace {

ChatTemplate family(const std::string& name) {
  const std::ifstream file(std::string(ROCKLLAMA_VOCABULARIES) + "/templates/" + name + ".jinja");
  std::stringstream source;
  source << file.rdbuf();
  return ChatTemplate::create(nullptr, source.str()).value();
}

const ChatTool kWeather{
    .name = "weather",
    .description = "The weather of a city.",
    .parameters = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"};

constexpr const char* kArguments = R"({"city": "Bern"})";

struct Recorded {
  const char* family;
  std::string output;
  std::string text{};
  std::string reasoning{};
  int calls = 0;  // of weather in Bern
  bool thinking = false;

  friend void PrintTo(const Recorded& recorded, std::ostream* out) { *out << recorded.family; }
};

void add(const AnswerPiece& piece, AnswerPiece* whole) {
  whole->text += piece.text;
  whole->reasoning += piece.reasoning;
  for (const ToolCallDelta& delta : piece.tool_calls) {
    if (delta.index >= whole->tool_calls.size()) whole->tool_calls.resize(delta.index + 1);
    ToolCallDelta& call = whole->tool_calls[delta.index];
    EXPECT_EQ(delta.name.empty(), delta.id.empty());
    EXPECT_TRUE(delta.name.empty() || call.name.empty()) << "a name came twice";
    call.id += delta.id;
    call.name += delta.name;
    call.arguments += delta.arguments;
  }
}

class RecordedAnswers : public ::testing::TestWithParam<Recorded> {
 protected:
  [[nodiscard]] RenderedChat render() const {
    ChatPrompt chat{.messages = {{"user", "How is the weather in Bern?"}}, .enable_thinking = GetParam().thinking};
    if (GetParam().calls > 0) chat.tools = {kWeather};
    chat.parallel_tool_calls = GetParam().calls > 1;
    return family(GetParam().family).render_for_answer(chat).value();
  }

  static void expect_recorded(const AnswerPiece& read, const std::string& how) {
    const Recorded& recorded = GetParam();
    EXPECT_EQ(read.text, recorded.text) << how;
    EXPECT_EQ(read.reasoning, recorded.reasoning) << how;
    ASSERT_EQ(read.tool_calls.size(), static_cast<size_t>(recorded.calls)) << how;
    for (const ToolCallDelta& call : read.tool_calls) {
      EXPECT_EQ(call.name, "weather") << how;
      EXPECT_EQ(call.arguments, kArguments) << how;
      EXPECT_FALSE(call.id.empty()) << how;
    }
  }
};

TEST_P(RecordedAnswers, AreReadAlikeWhereverTheyAreCut) {
  const RenderedChat chat = render();
  const std::string& output = GetParam().output;
  if (!chat.syntax) {
    EXPECT_EQ(output, GetParam().text);
    return;
  }
  AnswerPiece of_bytes;
  AnswerParser byte_by_byte(chat.syntax);
  for (const char byte : output) add(byte_by_byte.push({&byte, 1}), &of_bytes);
  add(byte_by_byte.finish("", /*complete=*/true), &of_bytes);
  expect_recorded(of_bytes, "byte by byte");
  for (size_t cut = 0; cut <= output.size(); ++cut) {
    AnswerPiece whole;
    AnswerParser parser(chat.syntax);
    add(parser.push(output.substr(0, cut)), &whole);
    add(parser.push(output.substr(cut)), &whole);
    add(parser.finish("", /*complete=*/true), &whole);
    expect_recorded(whole, "cut at " + std::to_string(cut));
    EXPECT_EQ(parser.called_tools(), GetParam().calls > 0);
  }
}

constexpr const char* kHermesCall =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bern\"}}\n</tool_call>";

TEST(AnswerParser, EndsWhereASecondCallBeginsThatMayNotBe) {
  const RenderedChat chat = family("Qwen-Qwen2.5-7B-Instruct")
                                .render_for_answer({.messages = {{"user", "How is the weather in Bern?"}},
                                                    .tools = {kWeather},
                                                    .parallel_tool_calls = false})
                                .value();
  AnswerParser parser(chat.syntax);
  AnswerPiece whole;
  add(parser.push(kHermesCall), &whole);
  EXPECT_FALSE(parser.is_over());
  const std::string second = std::string("\n") + kHermesCall;
  size_t at = 0;
  while (at < second.size() && !parser.is_over()) add(parser.push(second.substr(at++, 1)), &whole);
  EXPECT_TRUE(parser.is_over());
  EXPECT_LT(at, second.size());
  add(parser.finish("", /*complete=*/true), &whole);
  ASSERT_EQ(whole.tool_calls.size(), 1u);
  EXPECT_EQ(whole.tool_calls.front().arguments, kArguments);
  EXPECT_EQ(whole.text, "");
}

INSTANTIATE_TEST_SUITE_P(
    OfFamilies, RecordedAnswers,
    ::testing::Values(
        Recorded{"Qwen-Qwen2.5-7B-Instruct", kHermesCall, "", "", 1},
        Recorded{"Qwen-Qwen2.5-7B-Instruct", std::string("Let me see.\n") + kHermesCall, "Let me see.\n", "", 1},
        Recorded{"Qwen-Qwen2.5-7B-Instruct", std::string(kHermesCall) + "\n" + kHermesCall, "", "", 2},
        Recorded{"Qwen-Qwen3-0.6B", std::string("<think>\nI must ask.\n</think>\n\n") + kHermesCall, "",
                 "I must ask.\n", 1, true},
        Recorded{"Qwen-Qwen3-0.6B", "<think>\nEasy.\n</think>\n\nSunny \xc3\xa9.", "Sunny \xc3\xa9.", "Easy.\n", 0,
                 true},
        Recorded{"meta-llama-Llama-3.1-8B-Instruct", R"({"name": "weather", "parameters": {"city": "Bern"}})", "", "",
                 1},
        Recorded{"meta-llama-Llama-3.2-3B-Instruct", "Sunny.", "Sunny.", "", 0},
        Recorded{"mistralai-Mistral-Nemo-Instruct-2407",
                 R"([TOOL_CALLS][{"name": "weather", "arguments": {"city": "Bern"}, "id": "123456789"}])", "", "", 1},
        Recorded{"google-gemma-2-2b-it", "Sunny.\n", "Sunny.\n"},
        Recorded{"microsoft-Phi-3.5-mini-instruct", "Sunny.", "Sunny."},
        Recorded{"deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "I see.\n</think>\n\nSunny.", "Sunny.", "I see.\n", 0,
                 true},
        Recorded{"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", kHermesCall, "", "", 1},
        Recorded{"ibm-granite-granite-3.3-2B-Instruct", "<think>I see</think>Sunny.", "Sunny.", "I see", 0, true},
        Recorded{"ibm-granite-granite-4.0", kHermesCall, "", "", 1},
        Recorded{"HuggingFaceTB-SmolLM3-3B", "<think>\nI see.\n</think>\nSunny.", "Sunny.", "I see.\n", 0, true},
        Recorded{"HuggingFaceTB-SmolLM3-3B", "Sunny.", "Sunny."}));

AnswerParser parser_of_calls() {
  const ChatPrompt chat{.messages = {{"user", "Hi."}}, .tools = {kWeather}};
  return AnswerParser(family("Qwen-Qwen2.5-7B-Instruct").render_for_answer(chat)->syntax);
}

TEST(AnswerParser, GivesAnAnswerThatBreaksItsFormAsText) {
  AnswerParser parser = parser_of_calls();
  AnswerPiece whole;
  add(parser.push("<tool_call>\n[not a call]"), &whole);
  add(parser.finish("", /*complete=*/true), &whole);
  EXPECT_EQ(whole.text, "<tool_call>\n[not a call]");
  EXPECT_FALSE(parser.called_tools());
}

TEST(AnswerParser, TellsWhatThereIsOfACallThatWasCutOff) {
  AnswerParser parser = parser_of_calls();
  AnswerPiece whole;
  add(parser.push("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Be"), &whole);
  add(parser.finish("", /*complete=*/false), &whole);
  ASSERT_EQ(whole.tool_calls.size(), 1U);
  EXPECT_EQ(whole.tool_calls[0].arguments, R"({"city": "Be)");
}

}  // namespace
}  // namespace rockllama
