#include "service/text_index.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

Prompt chat_of(std::vector<ChatMessage> messages) { return ChatPrompt{.messages = std::move(messages)}; }

TEST(TextIndex, FindsAChatByItsLeadingSystemMessage) {
  TextIndex index;
  index.add("c", StateFormat::kChat, "You help.");
  EXPECT_EQ(index.find(chat_of({{"system", "You help."}, {"user", "hi"}})), "c");
  EXPECT_EQ(index.find(chat_of({{"system", "You help"}, {"user", "hi"}})), std::nullopt);
  EXPECT_EQ(index.find(chat_of({{"user", "You help."}})), std::nullopt);
  EXPECT_EQ(index.find(chat_of({})), std::nullopt);
  EXPECT_EQ(index.find(TextPrompt{"You help."}), std::nullopt);
}

TEST(TextIndex, FindsTheLongestTextThatARawPromptBeginsWith) {
  TextIndex index;
  index.add("short", StateFormat::kRaw, "Once");
  index.add("long", StateFormat::kRaw, "Once upon");
  index.add("longest", StateFormat::kRaw, "Once upon a time there was");
  EXPECT_EQ(index.find(TextPrompt{"Once upon a time"}), "long");
  EXPECT_EQ(index.find(TextPrompt{"Once"}), "short");
  EXPECT_EQ(index.find(TextPrompt{"Onc"}), std::nullopt);
}

}  // namespace
}  // namespace rockllama
