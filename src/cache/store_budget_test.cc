// The store's limits, and who hears of changes.
#include <sys/stat.h>

#include <filesystem>

#include "base/posix_file_system.h"
#include "cache/daily_writes.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr uint64_t kMegabyte = uint64_t{1} << 20;

class StoreBudget : public StoreTest {
 protected:
  [[nodiscard]] Status commit(const std::string& name, uint64_t bytes, const CacheAttributes& attributes = {}) {
    now_ += 100;
    return store_->commit(kModel, name, "text", new_states(store_.get(), name, std::string(bytes, 's')), attributes);
  }
};

TEST_F(StoreBudget, AStateMakesRoomByTheLeastValuableAndLeavesItsText) {
  open({.max_total_bytes = 3 * kMegabyte});
  ASSERT_TRUE(commit("old", kMegabyte));
  ASSERT_TRUE(commit("used", kMegabyte));
  store_->touch(kModel, "used", true);
  ASSERT_TRUE(commit_automatic(store_.get(), std::string(kMegabyte / 2, 'a')));
  ASSERT_TRUE(commit("new", kMegabyte));
  EXPECT_EQ(store_->use().automatic_entries, 0U);
  EXPECT_TRUE(reference("used").state && reference("new").state);
  ASSERT_TRUE(commit("newer", kMegabyte));
  EXPECT_FALSE(reference("old").state);
  EXPECT_EQ(*store_->text(kModel, "old"), "text");
  EXPECT_TRUE(reference("used").state);
  EXPECT_LE(store_->use().total_bytes, 3 * kMegabyte) << testing::PrintToString(names());
}

TEST_F(StoreBudget, PinnedAndOpenStatesStayAndTheRefusalHasNumbers) {
  open({.max_model_bytes = 2 * kMegabyte});
  ASSERT_TRUE(commit("pinned", kMegabyte, {.pinned = true}));
  ASSERT_TRUE(commit("b", kMegabyte / 2));
  now_ += 100;
  ASSERT_TRUE(open_state("b"));
  auto states = new_states(store_.get(), "c", std::string(kMegabyte, 's'));
  const Status refused = store_->commit(kModel, "c", "text", std::move(states), {});
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(refused.error().message, HasSubstr("2.00 MiB (cache.max_model_mib)"));
  EXPECT_TRUE(reference("pinned").state && reference("b").state);
  EXPECT_THAT(names(), Not(Contains("c.bin")));
  ASSERT_TRUE(commit("c", kMegabyte - 100));
  EXPECT_FALSE(reference("b").state);
}

TEST_F(StoreBudget, ReplacingACacheCountsOnlyTheDifference) {
  open({.max_total_bytes = 2 * kMegabyte});
  ASSERT_TRUE(commit("a", kMegabyte + kMegabyte / 2, {.pinned = true}));
  EXPECT_TRUE(commit("a", kMegabyte + kMegabyte / 2));
  EXPECT_FALSE(commit("a", 2 * kMegabyte));
  EXPECT_TRUE(reference("a").state);
}

TEST_F(StoreBudget, TooManyCachesCostOnlyThoseWithAnEnd) {
  open({.max_entries = 2});
  ASSERT_TRUE(commit("a", 10));
  ASSERT_TRUE(commit("b", 10, {.expires_at = now_ + 1e6}));
  ASSERT_TRUE(commit("c", 10));
  EXPECT_EQ(store_->find(kModel, "b", "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(commit("d", 10).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(commit("a", 20));
  EXPECT_EQ(store_->use().entries, 2U);
}

TEST_F(StoreBudget, TheDeviceKeepsSpaceAndHopelessStatesAreNotBegun) {
  ASSERT_TRUE(commit("pinned", kMegabyte, {.pinned = true}));
  files_.set_device_bytes(4 * kMegabyte);
  open({.keep_free_bytes = 2 * kMegabyte});
  EXPECT_EQ(store_->commit(kModel, "b", "text", new_states(store_.get(), "b", std::string(2 * kMegabyte, 's')), {})
                .error()
                .code,
            ErrorCode::kNoSpace);
  EXPECT_TRUE(commit("b", kMegabyte / 2));
  open({.keep_free_bytes = 10 * kMegabyte});
  EXPECT_EQ(store_->begin_state(kModel, "c", StateFormat::kChat).error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(names(), UnorderedElementsAre("pinned.bin", "pinned.json", "pinned.llama_cache", "b.bin", "b.json",
                                            "b.llama_cache"));
}

TEST_F(StoreBudget, WhatTheDayMayWriteIsRememberedOverRestarts) {
  const StoreLimits limits{.automatic_write_bytes_per_day = 100};
  open(limits);
  ASSERT_TRUE(commit_automatic(store_.get(), std::string(60, 'a')));
  open(limits);
  EXPECT_EQ(commit_automatic(store_.get(), std::string(60, 'b')).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(store_->use().automatic_bytes_written_today, 60U);
  ASSERT_TRUE(commit_automatic(store_.get(), std::string(40, 'c')));
  now_ += 86400;
  ASSERT_TRUE(commit_automatic(store_.get(), std::string(60, 'd')));
}

TEST_F(StoreBudget, AnUnreadableCountOfWritesIsNone) {
  const DailyWrites writes{20000, 123};
  const std::string text = serialise_daily_writes(writes);
  EXPECT_EQ(parse_daily_writes(text), writes);
  for (size_t size = 0; size + 2 < text.size(); ++size)
    EXPECT_EQ(parse_daily_writes(text.substr(0, size)), DailyWrites{});
  EXPECT_EQ(parse_daily_writes(std::string(1000, '[')), DailyWrites{});
}

TEST_F(StoreBudget, TheListenerHearsOfEveryChangeOfWhatIsKnown) {
  std::vector<std::string> heard;
  store_->set_listener([&](const std::string& model, const std::string& name) {
    EXPECT_EQ(model, kModel);
    EXPECT_TRUE(store_->list(kModel, kPrint));  // no lock is held
    heard.push_back(name);
  });
  const auto heard_of = [&](auto change) {
    heard.clear();
    change();
    return heard;
  };
  EXPECT_THAT(heard_of([&] { create("a", "text", "state"); }), Contains("a"));
  EXPECT_THAT(heard_of([&] { create_over("a", "b", "text", "state"); }), Contains("b"));
  EXPECT_EQ(known().size(), 2U);
  EXPECT_THAT(heard_of([&] { (void)info("a"); }), IsEmpty());
  EXPECT_THAT(heard_of([&] { EXPECT_FALSE(store_->text(kModel, "nobody")); }), IsEmpty());
  files_.put(path("a.bin"), "edited");
  EXPECT_THAT(heard_of([&] { (void)store_->list(kModel, kPrint); }), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(known(), IsEmpty());
  files_.put(path("a.bin"), "text");
  EXPECT_THAT(heard_of([&] { store_->sweep(); }), UnorderedElementsAre("a", "b"));
  const StateKey key = *reference("b").state;
  EXPECT_THAT(heard_of([&] { (void)store_->quarantine(kModel, "b", StateFormat::kChat, key, "bad"); }), Contains("b"));
  EXPECT_THAT(heard_of([&] { EXPECT_TRUE(commit_automatic(store_.get(), "auto")); }), ElementsAre(""));
  EXPECT_THAT(heard_of([&] { EXPECT_TRUE(store_->remove(kModel, "a", true)); }), UnorderedElementsAre("a", "b"));
  files_.put(path("c.bin"), "by hand");
  EXPECT_THAT(heard_of([&] { store_->sweep(); }), ElementsAre("c"));
  ASSERT_TRUE(files_.remove(path("c.bin")));
  EXPECT_THAT(heard_of([&] { store_->sweep(); }), ElementsAre("c"));
}

TEST(StorePrivacy, FilesAndFoldersAreTheOwnersOnly) {
  const std::string root = testing::TempDir() + "store_privacy_" + std::to_string(::getpid());
  const auto files = make_posix_file_system();
  const ::mode_t mask = ::umask(0);
  {
    auto store = CacheStore::open(files.get(), root + "/cache").value();
    ASSERT_TRUE(store->commit(kModel, "a", "text", new_states(store.get(), "a", "state"), {}));
    ASSERT_TRUE(commit_automatic(store.get(), "automatic"));
  }
  ::umask(mask);
  size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
    ++seen;
  }
  EXPECT_EQ(seen, 10U);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace rockllama
