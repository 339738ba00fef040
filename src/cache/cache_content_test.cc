#include "cache/cache_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama {
namespace {

using testing::HasSubstr;

const CacheContent kConversation{
    .messages = {{"system", "Be brief."},
                 {"user", "Caf\xC3\xA9 \xF0\x9F\x98\x80\n\"quoted\"", "Ann"},
                 {.role = "assistant", .reasoning_content = "I add.", .tool_calls = {{"call-1", "add", R"({"b":1})"}}},
                 {"tool", "42", "", "call-1"}},
    .tools = {{"add", "Adds numbers.", R"({"type":"object","properties":{"b":{"type":"number"},"a":{}}})"}, {"now"}}};

TEST(CacheContent, MessagesAndToolsComeBackAsTheyWere) {
  const std::string stored = encode_content(kConversation);
  EXPECT_THAT(stored, HasSubstr("\"object\": \"prompt_cache.messages\",\n"));
  EXPECT_EQ(parse_content(stored), kConversation);
}

TEST(CacheContent, ATextIsATextByteForByte) {
  for (const std::string text : {"", "You are brief.\n", "{", "{\"object\": \"x\"}", "[1]", "\xFF\xFE{", "null"}) {
    EXPECT_EQ(parse_content(text), CacheContent{.text = text});
    EXPECT_EQ(encode_content({.text = text}), text);
  }
}

TEST(CacheContent, AnEditThatBreaksTheJsonMakesItAText) {
  const std::string stored = encode_content(kConversation);
  for (size_t size = 0; size + 2 < stored.size(); ++size) {
    const std::string cut = stored.substr(0, size);
    EXPECT_EQ(parse_content(cut), CacheContent{.text = cut}) << size;
  }
}

TEST(CacheContent, JsonThatIsNestedTooDeeplyIsAText) {
  const std::string deep = R"({"object":"prompt_cache.messages","messages":)" + std::string(100'000, '[');
  EXPECT_TRUE(parse_content(deep)->is_text());
}

TEST(CacheContent, SaysWhichFieldOfTheMessagesIsMalformed) {
  const auto fault = [](const std::string& rest) {
    const auto content = parse_content(R"({"object":"prompt_cache.messages",)" + rest + "}");
    return content ? std::string("none") : content.error().param;
  };
  EXPECT_EQ(fault(R"("messages":[])"), "messages");
  EXPECT_EQ(fault(R"("messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}])"), "tool_calls[0]");
  EXPECT_EQ(fault(R"("messages":{})"), "messages");
  EXPECT_EQ(fault(R"("messages":["hello"])"), "messages[0]");
  EXPECT_EQ(fault(R"("messages":[{"role":"user","content":"a"},{"content":"b"}])"), "messages[1].role");
  EXPECT_EQ(fault(R"("messages":[{"role":"wizard","content":"a"}])"), "messages[0].role");
  EXPECT_EQ(fault(R"("messages":[{"role":"user","content":7}])"), "messages[0].content");
  EXPECT_EQ(fault(R"("messages":[{"role":"user","contents":"a"}])"), "messages[0].contents");
  EXPECT_EQ(fault(R"("messages":[{"role":"user"}],"tools":[{}])"), "tools[0]");
  EXPECT_EQ(fault(R"("messages":[{"role":"user"}],"tools":[{"function":{}}])"), "tools[0].function.name");
  EXPECT_EQ(fault(R"("tools":[{"function":{"name":"f","parameters":3}}])"), "tools[0].function.parameters");
  EXPECT_EQ(fault(R"("tools":[{"function":{"name":"f"}}])"), "none");
}

TEST(CacheContent, WhatIsNotUtf8IsReplacedInMessages) {
  const auto content = parse_content(encode_content({.messages = {{"user", "a\xFF"}}}));
  ASSERT_TRUE(content);
  EXPECT_EQ(content->messages[0].content, "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace rockllama
