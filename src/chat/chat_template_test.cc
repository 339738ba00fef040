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

}  // namespace
}  // namespace rockllama
