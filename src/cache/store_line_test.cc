// Caches that continue others, and caches that end.
#include <functional>

#include "cache/cache_content.h"
#include "cache/cache_family.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreLine : public StoreTest {
 protected:
  void create_family() {
    create("base", "Be brief.", "base state");
    create_over("base", "coding", "You write C++.", "coding state");
    create_over("coding", "tests", "You write tests.", "tests state");
  }
  [[nodiscard]] Status continue_from(const std::string& parent, const std::string& name) {
    return store_->commit(kModel, name, "text", {}, {.parent = parent});
  }
};

TEST_F(StoreLine, AReferenceHoldsWhatTheCacheContinues) {
  create_family();
  const CacheReference found = reference("tests");
  ASSERT_EQ(found.line.size(), 3U);
  EXPECT_EQ(found.line[0].text, "Be brief.");
  EXPECT_EQ(found.line[1].text, "You write C++.");
  EXPECT_EQ(found.line[2].text, "You write tests.");
  EXPECT_TRUE(found.state);
  EXPECT_EQ(info("tests").parent, "coding");
  EXPECT_THAT(store_->children(kModel, "base"), ElementsAre("coding"));
}

TEST_F(StoreLine, AnAncestorsOtherTextMakesStatesStaleUntilItIsUndone) {
  create_family();
  files_.put(path("base.bin"), "Be verbose.");
  EXPECT_EQ(reason("tests"), "stale: the text of a cache that it continues changed");
  EXPECT_EQ(info("coding").binary[0].reason, "the text of a cache that it continues changed");
  EXPECT_EQ(reference("tests").line[0].text, "Be verbose.");
  EXPECT_THAT(known(), IsEmpty());
  files_.put(path("base.bin"), "Be brief.");
  open();
  EXPECT_TRUE(reference("tests").state);
  EXPECT_EQ(known().size(), 3U);
}

TEST_F(StoreLine, AnotherParentMakesTheStateStale) {
  create_family();
  ASSERT_TRUE(store_->commit(kModel, "tests", "You write tests.", {}, {.parent = ""}));
  EXPECT_THAT(reason("tests"), HasSubstr("stale"));
  ASSERT_TRUE(store_->commit(kModel, "tests", "You write tests.", {}, {.parent = "coding"}));
  EXPECT_TRUE(reference("tests").state);
}

TEST_F(StoreLine, AStateThatWasBuiltOverAnotherLineIsRefused) {
  create_family();
  auto states = new_states(store_.get(), "tests", "newer");
  states[0].line = reference("tests").line;
  create("base", "Be verbose.", "state");
  EXPECT_EQ(store_->add_states(kModel, "tests", "You write tests.", std::move(states)).error().code,
            ErrorCode::kConflict);
  states = new_states(store_.get(), "tests", "newest");
  states[0].line = reference("tests").line;
  EXPECT_TRUE(store_->add_states(kModel, "tests", "You write tests.", std::move(states)));
  EXPECT_TRUE(reference("tests").state);
}

TEST_F(StoreLine, AParentHasToBeThereAndNoDescendant) {
  create_family();
  EXPECT_EQ(continue_from("nobody", "a").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(continue_from("nobody", "a").error().param, "parent");
  EXPECT_EQ(continue_from("a", "a").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(continue_from("tests", "base").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(reference("base").line.back().text, "Be brief.");
  EXPECT_EQ(store_->find(kModel, "a", "").error().code, ErrorCode::kNotFound);
}

TEST_F(StoreLine, ALineHasAnEnd) {
  create("0", "text", "state");
  for (size_t i = 1; i <= kMostAncestors; ++i) {
    ASSERT_TRUE(continue_from(std::to_string(i - 1), std::to_string(i))) << i;
  }
  EXPECT_EQ(reference(std::to_string(kMostAncestors)).line.size(), kMostAncestors + 1);
  EXPECT_EQ(continue_from(std::to_string(kMostAncestors), "one more").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoreLine, ABrokenLineIsSaidAndTheCacheIsStillListed) {
  create_family();
  ASSERT_TRUE(files_.remove(path("base.bin")));
  ASSERT_TRUE(files_.remove(path("base.json")));
  ASSERT_TRUE(files_.remove(path("base.llama_cache")));
  const auto found = store_->reference(kModel, "coding", StateFormat::kChat, kPrint);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(found.error().message, HasSubstr("'base'"));
  EXPECT_THAT(info("coding").binary[0].reason, HasSubstr("'base'"));
  EXPECT_EQ(store_->list(kModel, kPrint)->size(), 2U);
  ASSERT_TRUE(store_->commit(kModel, "coding", "Alone now.", {}, {.parent = ""}));
  EXPECT_EQ(reference("coding").line.size(), 1U);
}

TEST_F(StoreLine, MalformedMessagesAreAnErrorWithWordsAndAreListed) {
  create("a", R"({"object": "prompt_cache.messages", "messages": [{"role": "wizard"}]})", "state");
  const auto found = store_->reference(kModel, "a", StateFormat::kChat, kPrint);
  EXPECT_EQ(found.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(found.error().message, HasSubstr("cache 'a': the messages of the prompt cache are malformed"));
  EXPECT_EQ(store_->list(kModel, kPrint)->size(), 1U);
}

TEST_F(StoreLine, MessagesComeBackAsMessages) {
  const CacheContent content{.messages = {{"user", "Hello"}, {"assistant", "Hi"}}};
  create("a", encode_content(content), "state");
  EXPECT_THAT(reference("a").line, ElementsAre(content));
}

TEST_F(StoreLine, WhatOthersContinueIsRemovedOnlyWithThem) {
  create_family();
  const Status kept = store_->remove(kModel, "base");
  EXPECT_EQ(kept.error().code, ErrorCode::kConflict);
  EXPECT_THAT(kept.error().message, HasSubstr("'tests', 'coding'"));
  ASSERT_TRUE(store_->remove(kModel, "base", true));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(StoreLine, ADescendantGoesBeforeWhatItContinues) {
  const Family family = {{"b", {"a"}}, {"c", {"b"}}, {"d", {"b"}}, {"e", {"c"}}, {"x", {"y"}}, {"y", {"x"}}};
  EXPECT_THAT(descendants_of(family, "a"), ElementsAre("e", "d", "c", "b"));
  EXPECT_THAT(descendants_of(family, "x"), ElementsAre("y"));
}

TEST_F(StoreLine, AnExpiredCacheIsGoneAtTheNextLook) {
  const std::vector<std::function<void()>> looks = {
      [&] { EXPECT_FALSE(store_->find(kModel, "brief", "")); },
      [&] { EXPECT_THAT(*store_->list(kModel, ""), IsEmpty()); },
      [&] { EXPECT_FALSE(store_->reference(kModel, "brief", StateFormat::kChat, kPrint)); }, [&] { store_->sweep(); },
      [&] {
        open();
        EXPECT_THAT(known(), IsEmpty());
      }};
  for (size_t i = 0; i < looks.size(); ++i) {
    ASSERT_TRUE(store_->commit(kModel, "brief", "text", new_states(store_.get(), "brief", "state"),
                               {.pinned = true, .expires_at = now_ + 10}));
    now_ += 9;
    EXPECT_TRUE(reference("brief").state) << i;
    now_ += 1;
    looks[i]();
    EXPECT_THAT(names(), IsEmpty()) << i;
  }
}

TEST_F(StoreLine, WhatOthersContinueDoesNotExpireBeforeThem) {
  ASSERT_TRUE(store_->commit(kModel, "base", "text", {}, {.expires_at = now_ + 10}));
  ASSERT_TRUE(store_->commit(kModel, "next", "text", {}, {.parent = "base", .expires_at = now_ + 20}));
  now_ += 15;
  store_->sweep();
  EXPECT_EQ(reference("next").line.size(), 2U);
  now_ += 10;
  store_->sweep();
  EXPECT_THAT(names(), IsEmpty());
}

}  // namespace
}  // namespace rockllama
