#include "api/response_store.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

StoredResponse stored(const std::string& json, Hash128 owner = {}) {
  return {.owner = owner, .json = json, .messages = {{"user", "hi"}}};
}

std::string found(ResponseStore& store, const std::string& id, Hash128 owner = {}) {
  const auto entry = store.find(id, owner);
  return entry ? entry->json : "none";
}

TEST(ResponseStore, GivesBackWhatItWasGiven) {
  ResponseStore store({});
  store.put("a", stored("1"));
  EXPECT_EQ(found(store, "a"), "1");
  EXPECT_EQ(store.find("a", {})->messages.front().content, "hi");
  EXPECT_EQ(found(store, "b"), "none");
  store.put("a", stored("2"));
  EXPECT_EQ(found(store, "a"), "2");
}

TEST(ResponseStore, KeepsOwnersApart) {
  ResponseStore store({});
  store.put("a", stored("1", {1, 2}));
  EXPECT_EQ(found(store, "a"), "none");
  EXPECT_FALSE(store.remove("a", {1, 3}));
  EXPECT_EQ(found(store, "a", {1, 2}), "1");
}

TEST(ResponseStore, ForgetsOnce) {
  ResponseStore store({});
  store.put("a", stored("1"));
  EXPECT_TRUE(store.remove("a", {}));
  EXPECT_FALSE(store.remove("a", {}));
  EXPECT_EQ(found(store, "a"), "none");
}

TEST(ResponseStore, DropsTheOneThatWasNotUsedForLongest) {
  ResponseStore store({.entries = 2});
  store.put("a", stored("1"));
  store.put("b", stored("2"));
  EXPECT_EQ(found(store, "a"), "1");
  store.put("c", stored("3"));
  EXPECT_EQ(found(store, "b"), "none");
  EXPECT_EQ(found(store, "a"), "1");
  EXPECT_EQ(found(store, "c"), "3");
}

TEST(ResponseStore, StaysWithinItsBytes) {
  const size_t one = stored(std::string(1000, 'x')).bytes();
  ResponseStore store({.entries = 100, .bytes = 2 * one});
  for (const char* id : {"a", "b", "c"}) store.put(id, stored(std::string(1000, 'x')));
  EXPECT_EQ(found(store, "a"), "none");
  EXPECT_NE(found(store, "b"), "none");
  store.put("d", stored(std::string(3000, 'x')));
  EXPECT_EQ(found(store, "d"), "none");
  EXPECT_NE(found(store, "b"), "none");
}

TEST(ResponseStore, CountsTheWholeConversation) {
  StoredResponse response = stored("1");
  const size_t before = response.bytes();
  response.messages.push_back({.role = "assistant",
                               .content = std::string(100, 'a'),
                               .reasoning_content = std::string(100, 'b'),
                               .tool_calls = {{"c", "f", std::string(100, 'd')}}});
  EXPECT_GE(response.bytes(), before + 300);
}

TEST(ResponseStore, KeepsNothingWhereNothingMayBeKept) {
  ResponseStore store({.entries = 0});
  store.put("a", stored("1"));
  EXPECT_EQ(found(store, "a"), "none");
}

TEST(ResponseStore, LeavesAnEntryThatIsInUseAlive) {
  ResponseStore store({.entries = 1});
  store.put("a", stored("1"));
  const auto held = store.find("a", {});
  store.put("b", stored("2"));
  EXPECT_EQ(held->json, "1");
}

}  // namespace
}  // namespace rockllama::api
