#include "chat/chat_template.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace rockllama {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string source_of(const std::string& name) {
  const std::ifstream file(std::string(ROCKLLAMA_VOCABULARIES) + "/templates/" + name + ".jinja");
  std::stringstream source;
  source << file.rdbuf();
  return source.str();
}

ChatTemplate known_template(const std::string& name) { return ChatTemplate::create(nullptr, source_of(name)).value(); }

const ChatPrompt kChat = {{{"system", "Be brief."}, {"user", "Hi."}}};
const ChatPrompt kThinkingChat = {kChat.messages, true};

TEST(ChatTemplate, IsUnsupportedWithoutAModelAndASource) {
  const auto created = ChatTemplate::create(nullptr, "");
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(created.error().message, "This model has no chat template.");
}

TEST(ChatTemplate, RefusesASourceWithAFault) {
  const auto created = ChatTemplate::create(nullptr, "{% for x in %}");
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
  EXPECT_GT(created.error().message.size(), std::string("The model's chat template is invalid: ").size());
}

TEST(ChatTemplate, RendersMessagesAndTheGenerationPrompt) {
  const ChatTemplate qwen = known_template("Qwen-Qwen2.5-7B-Instruct");
  EXPECT_EQ(qwen.render(kChat, true),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_THAT(qwen.render(kChat, false).value(), EndsWith("Hi.<|im_end|>\n"));
}

TEST(ChatTemplate, TakesThinkingOffWhereTheTemplateCan) {
  const ChatTemplate qwen = known_template("Qwen-Qwen3-0.6B");
  EXPECT_THAT(qwen.render(kChat, true).value(), HasSubstr("<think>\n\n</think>"));
  EXPECT_THAT(qwen.render(kThinkingChat, true).value(), EndsWith("<|im_start|>assistant\n"));
}

TEST(ChatTemplate, GivesTheTemplatesOwnWordsWhenItRefuses) {
  const ChatTemplate gemma = known_template("google-gemma-2-2b-it");
  const auto rendered = gemma.render({{{"user", "a"}, {"user", "b"}}}, true);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(rendered.error().param, "messages");
  EXPECT_THAT(rendered.error().message, HasSubstr("roles must alternate"));
}

TEST(ChatTemplate, RefusesNoMessages) { EXPECT_FALSE(known_template("Qwen-Qwen2.5-7B-Instruct").render({}, true)); }

TEST(ChatTemplate, SurvivesTextThatIsNotUtf8) {
  const auto rendered = known_template("Qwen-Qwen2.5-7B-Instruct").render({{{"user", "\xff\xfe\x80"}}}, true);
  EXPECT_TRUE(rendered || rendered.error().code == ErrorCode::kInvalidArgument);
}

TEST(ChatTemplate, KnowsWhetherManySystemMessagesAreTaken) {
  EXPECT_TRUE(known_template("Qwen-Qwen2.5-7B-Instruct").takes_many_system_messages());
  EXPECT_TRUE(known_template("meta-llama-Llama-3.1-8B-Instruct").takes_many_system_messages());
  EXPECT_FALSE(known_template("google-gemma-2-2b-it").takes_many_system_messages());
  EXPECT_FALSE(known_template("mistralai-Mistral-Nemo-Instruct-2407").takes_many_system_messages());
}

TEST(ChatTemplate, RendersToolsWithTheirDescriptionAndParameters) {
  const ChatTool weather = {"weather", "Tells the weather.", R"({"type":"object","properties":{"town":{}}})"};
  const auto text =
      known_template("Qwen-Qwen2.5-7B-Instruct").render({.messages = kChat.messages, .tools = {weather}}, true);
  EXPECT_THAT(text.value(), HasSubstr("Tells the weather."));
  EXPECT_THAT(text.value(), HasSubstr("town"));
}

TEST(ChatTemplate, RefusesToolsWhoseParametersAreNoJson) {
  const auto rendered =
      known_template("Qwen-Qwen2.5-7B-Instruct").render({.messages = kChat.messages, .tools = {{"a", "", "{"}}}, true);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().code, ErrorCode::kInvalidArgument);
}

TEST(ChatTemplate, KnowsWhetherToolsAreTaken) {
  EXPECT_TRUE(known_template("Qwen-Qwen2.5-7B-Instruct").takes_tools());
  EXPECT_TRUE(known_template("meta-llama-Llama-3.1-8B-Instruct").takes_tools());
  EXPECT_TRUE(known_template("mistralai-Mistral-Nemo-Instruct-2407").takes_tools());
  EXPECT_FALSE(known_template("google-gemma-2-2b-it").takes_tools());
}

const ChatPrompt kWithTools = {.messages = {{"user", "Hi."}},
                               .tools = {{.name = "first"}, {.name = "second", .parameters = R"({"type":"object"})"}}};

TEST(ChatTemplate, GivesAGrammarThatWaitsForAToolCall) {
  const RenderedChat chat = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(kWithTools).value();
  EXPECT_TRUE(chat.grammar.lazy);
  ASSERT_FALSE(chat.grammar.triggers.empty());
  EXPECT_THAT(chat.grammar.triggers[0].value, HasSubstr("<tool_call>"));
  EXPECT_TRUE(chat.syntax);
  EXPECT_EQ(chat.text, known_template("Qwen-Qwen2.5-7B-Instruct").render(kWithTools, true));
}

TEST(ChatTemplate, ShowsAllToolsAndAllowsTheOneThatIsRequired) {
  ChatPrompt prompt = kWithTools;
  prompt.tool_choice = ToolChoice::kRequired;
  prompt.required_tool = "second";
  const RenderedChat chat = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(prompt).value();
  EXPECT_FALSE(chat.grammar.lazy);
  EXPECT_THAT(chat.text, HasSubstr("first"));
  EXPECT_THAT(chat.grammar.rules, HasSubstr("second"));
  EXPECT_THAT(chat.grammar.rules, ::testing::Not(HasSubstr("first")));
}

TEST(ChatTemplate, RequiresACallWhereFreeOnesHaveNoGrammar) {
  ChatPrompt prompt = kWithTools;
  prompt.tool_choice = ToolChoice::kRequired;
  const auto chat = known_template("meta-llama-Llama-3.1-8B-Instruct").render_for_answer(prompt);
  ASSERT_TRUE(chat) << chat.error().message;
  EXPECT_FALSE(chat->grammar.lazy);
  EXPECT_THAT(chat->grammar.rules, HasSubstr("second"));
}

TEST(ChatTemplate, NeedsNoSyntaxWhereAnswersArePlain) {
  ChatPrompt prompt = kWithTools;
  prompt.tool_choice = ToolChoice::kNone;
  const RenderedChat chat = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(prompt).value();
  EXPECT_TRUE(chat.grammar.rules.empty());
  EXPECT_FALSE(chat.syntax);
  EXPECT_THAT(chat.text, HasSubstr("first"));
}

TEST(ChatTemplate, HoldsAnAnswerToASchema) {
  ChatPrompt prompt = kChat;
  prompt.answer_schema = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})";
  const RenderedChat chat = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(prompt).value();
  EXPECT_FALSE(chat.grammar.lazy);
  EXPECT_THAT(chat.grammar.rules, HasSubstr("city"));
}

TEST(ChatTemplate, NamesASchemaThatCannotBeFollowed) {
  ChatPrompt prompt = kChat;
  prompt.answer_schema = R"({"type":"nonsense"})";
  const auto chat = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(prompt);
  ASSERT_FALSE(chat);
  EXPECT_EQ(chat.error().param, "response_format");
}

TEST(ChatTemplate, RendersToolCallsAndTheirResults) {
  const ChatPrompt prompt{.messages = {{"user", "Hi."},
                                       {.role = "assistant", .tool_calls = {{"call_1", "first", R"({"a": 1})"}}},
                                       {.role = "tool", .content = "Done.", .tool_call_id = "call_1"}},
                          .tools = kWithTools.tools};
  const std::string text = known_template("Qwen-Qwen2.5-7B-Instruct").render_for_answer(prompt)->text;
  EXPECT_THAT(text, HasSubstr(R"({"name": "first", "arguments": {"a": 1}})"));
  EXPECT_THAT(text, HasSubstr("<tool_response>\nDone.\n</tool_response>"));
}

TEST(ChatTemplate, PassesArgumentsToTheTemplate) {
  const ChatTemplate shows = ChatTemplate::create(nullptr, "{{ messages[0].content }}|{{ mood }}").value();
  EXPECT_EQ(shows.render({.messages = {{"user", "Hi."}}, .template_arguments = {{"mood", R"("calm")"}}}, true),
            "Hi.|calm");
}

}  // namespace
}  // namespace rockllama
