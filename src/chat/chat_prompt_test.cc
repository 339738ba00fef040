#include "chat/chat_prompt.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;

const ChatMessage kCache = {"system", "Cache."};
const ChatMessage kOther = {"system", "Other."};
const ChatMessage kUser = {"user", "Hi."};

TEST(MessagesWithCache, PutsTheCacheBeforeTheMessages) {
  EXPECT_THAT(messages_with_cache("Cache.", {kUser}), ElementsAre(kCache, kUser));
  EXPECT_THAT(messages_with_cache("Cache.", {}), ElementsAre(kCache));
}

TEST(MessagesWithCache, DoesNotDoubleASystemMessageOfTheSameText) {
  EXPECT_THAT(messages_with_cache("Cache.", {kCache, kUser}), ElementsAre(kCache, kUser));
  EXPECT_THAT(messages_with_cache("Cache.", {{"developer", "Cache."}, kUser}), ElementsAre(kCache, kUser));
}

TEST(MessagesWithCache, LetsASystemMessageOfAnotherTextFollow) {
  EXPECT_THAT(messages_with_cache("Cache.", {kOther, kUser}), ElementsAre(kCache, kOther, kUser));
}

TEST(MessagesWithCache, PutsTheSameTextFirstWhereItCameSecond) {
  EXPECT_THAT(messages_with_cache("Cache.", {kOther, kCache, kUser}), ElementsAre(kCache, kOther, kUser));
}

TEST(MessagesWithCache, LeavesASystemMessageInsideTheConversationAlone) {
  EXPECT_THAT(messages_with_cache("Cache.", {kUser, kCache}), ElementsAre(kCache, kUser, kCache));
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
