#include "chat/chat_prompt.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ChatMessage kCache = {"system", "Cache."};
const ChatMessage kOther = {"system", "Other."};
const ChatMessage kUser = {"user", "Hi."};
const ChatMessage kAsked = {"user", "Two and two?"};
const ChatMessage kAnswered = {"assistant", "Four."};
const CacheLine kText = {{.text = "Cache."}};
const CacheLine kShots = {{.text = "Cache."}, {.messages = {kAsked, kAnswered}}};

// What a request over the line becomes for a template that takes everything.
std::vector<ChatMessage> over(const CacheLine& line, std::vector<ChatMessage> messages, bool one_system = false) {
  const ChatPrompt prompt{.messages = std::move(messages)};
  return behind_line(line, without_repeats(line, prompt), one_system).messages;
}

TEST(ChatOverLine, PutsTheCacheBeforeTheMessages) {
  EXPECT_THAT(over(kText, {kUser}), ElementsAre(kCache, kUser));
  EXPECT_THAT(over(kText, {}), ElementsAre(kCache));
  EXPECT_THAT(over(kShots, {kUser}), ElementsAre(kCache, kAsked, kAnswered, kUser));
}

TEST(ChatOverLine, DoesNotDoubleASystemMessageOfTheSameText) {
  EXPECT_THAT(over(kText, {kCache, kUser}), ElementsAre(kCache, kUser));
  EXPECT_THAT(over(kText, {{"developer", "Cache."}, kUser}), ElementsAre(kCache, kUser));
  EXPECT_THAT(over({{.text = "Cache."}, {.text = "Other."}}, {kOther, kCache, kUser}),
              ElementsAre(kCache, kOther, kUser));
}

TEST(ChatOverLine, LetsASystemMessageOfAnotherTextFollow) {
  EXPECT_THAT(over(kText, {kOther, kUser}), ElementsAre(kCache, kOther, kUser));
  EXPECT_THAT(over(kText, {kOther, kCache, kUser}), ElementsAre(kCache, kOther, kUser));
  EXPECT_THAT(over(kShots, {kOther, kUser}), ElementsAre(kCache, kAsked, kAnswered, kOther, kUser));
}

TEST(ChatOverLine, LeavesASystemMessageInsideTheConversationAlone) {
  EXPECT_THAT(over(kText, {kUser, kCache}), ElementsAre(kCache, kUser, kCache));
}

TEST(ChatOverLine, DoesNotDoubleMessagesThatRepeatTheCaches) {
  EXPECT_THAT(over(kShots, {kCache, kAsked, kAnswered, kUser}), ElementsAre(kCache, kAsked, kAnswered, kUser));
  EXPECT_THAT(over(kShots, {kAsked, kAnswered, kUser}), ElementsAre(kCache, kAsked, kAnswered, kUser));
  EXPECT_THAT(over(kShots, {kAsked, kUser}), ElementsAre(kCache, kAsked, kAnswered, kAsked, kUser));
}

TEST(ChatOverLine, DoesNotDoubleMessagesThatRepeatOnlyTheLastContent) {
  const CacheLine two = {{.messages = {kUser, kAnswered}}, {.messages = {kAsked, kAnswered}}};
  EXPECT_THAT(over(two, {kAsked, kAnswered, kUser}), ElementsAre(kUser, kAnswered, kAsked, kAnswered, kUser));
}

TEST(ChatOverLine, FoldsSystemTextsWhereTheTemplateTakesOne) {
  EXPECT_THAT(over(kText, {kOther, kUser}, true), ElementsAre(ChatMessage{"system", "Cache.\n\nOther."}, kUser));
  EXPECT_THAT(over(kShots, {kOther, kUser}, true),
              ElementsAre(kCache, kAsked, kAnswered, ChatMessage{"user", "Other.\n\nHi."}));
}

TEST(ChatOverLine, MergesToolsByName) {
  const CacheLine line = {{.tools = {{"a", "first"}}}, {.tools = {{"b"}, {"a", "second"}}}};
  const ChatPrompt chat =
      behind_line(line, {.messages = {kUser}, .enable_thinking = true, .tools = {{"b", "own"}, {"c"}}}, false);
  EXPECT_THAT(chat.tools, ElementsAre(ChatTool{"a", "first"}, ChatTool{"b"}, ChatTool{"c"}));
  EXPECT_TRUE(chat.enable_thinking);
  EXPECT_THAT(chat_of({}).messages, IsEmpty());
}

TEST(FoldSystemMessages, JoinsTheLeadingOnes) {
  EXPECT_THAT(fold_system_messages({kCache, kOther, kUser, kOther}),
              ElementsAre(ChatMessage{"system", "Cache.\n\nOther."}, kUser, kOther));
}

TEST(FoldSystemMessages, ChangesNothingWhereThereIsAtMostOne) {
  EXPECT_THAT(fold_system_messages({kCache, kUser, kOther}), ElementsAre(kCache, kUser, kOther));
  EXPECT_THAT(fold_system_messages({kUser}), ElementsAre(kUser));
  EXPECT_TRUE(fold_system_messages({}).empty());
}

}  // namespace
}  // namespace rockllama
