#include "service/startup_caches.h"

#include <gmock/gmock.h>

#include <future>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StartupCache startup_cache(const std::string& name, const std::string& model = "m", bool required = false) {
  return {.request = {.model = model, .name = name, .text = "Text of " + name, .source = "startup"},
          .required = required};
}

TEST(StartupOrder, GoesModelByModel) {
  std::vector<std::string> order;
  for (const StartupCache& cache : startup_order(
           {startup_cache("a", "m"), startup_cache("b", "n"), startup_cache("c", "m"), startup_cache("d", "n")})) {
    order.push_back(cache.request.model + "/" + cache.request.name);
  }
  EXPECT_THAT(order, ElementsAre("m/a", "m/c", "n/b", "n/d"));
}

TEST(StartupProgressCurrent, KnowsTheTimeLeftOnceItKnowsTheSpeed) {
  StartupProgress::Current current{.done_tokens = 100, .total_tokens = 400};
  EXPECT_EQ(current.eta_s(), std::nullopt);
  current.tokens_per_second = 50;
  EXPECT_EQ(current.eta_s(), 6);
  current.done_tokens = 500;
  EXPECT_EQ(current.eta_s(), 0);
}

class StartupCachesTest : public ServiceFixture {
 protected:
  StartupCachesTest() { options.startup_pauses_ms = {1, 1}; }
  void make(std::vector<StartupCache> caches) {
    service->startup_caches().begin(std::move(caches));
    ASSERT_TRUE(wait_until([this] {
      const StartupProgress progress = service->startup_caches().progress();
      return progress.done + progress.failed.size() == progress.total;
    }));
  }
  StartupProgress progress() { return service->startup_caches().progress(); }
  std::vector<std::string> what_was_said() {
    const std::lock_guard lock(said_mutex);
    return *said;
  }
};

TEST_F(StartupCachesTest, MakesThemModelByModelAndLoadsEachOnce) {
  add_model("n");
  options.max_loaded = 1;
  begin();
  make({startup_cache("a", "m"), startup_cache("b", "n"), startup_cache("c", "m")});
  EXPECT_EQ(progress().done, 3u);
  EXPECT_EQ(*store->text("m", "c"), "Text of c");
  EXPECT_EQ(store->find("n", "b", "")->source, "startup");
  EXPECT_THAT(what_was_said(), ElementsAre("load m", "save chat", "save raw", "save chat", "save raw", "stop m",
                                           "load n", "save chat", "save raw"));
}

TEST_F(StartupCachesTest, LeavesAFreshOneAlone) {
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "a", .text = "Text of a", .source = "startup"}));
  const size_t said_before = what_was_said().size();
  make({startup_cache("a")});
  EXPECT_EQ(progress().done, 1u);
  EXPECT_EQ(what_was_said().size(), said_before);
}

TEST_F(StartupCachesTest, ReplacesAnotherText) {
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "a", .text = "Old."}));
  make({startup_cache("a")});
  EXPECT_EQ(*store->text("m", "a"), "Text of a");
  EXPECT_EQ(store->find("m", "a", "")->source, "startup");
}

TEST_F(StartupCachesTest, AnEmptyModelIsTheDefaultOne) {
  add_model("n");
  options.default_model = "n";
  begin();
  make({startup_cache("a", "")});
  EXPECT_TRUE(store->find("n", "a", "")->has_binary);
}

TEST_F(StartupCachesTest, SaysWhyThereIsNoDefaultModelAndGoesOn) {
  add_model("n");
  begin();
  make({startup_cache("a", ""), startup_cache("b", "nobody"), startup_cache("c", "n")});
  EXPECT_EQ(progress().done, 1u);
  ASSERT_EQ(progress().failed.size(), 2u);
  EXPECT_THAT(progress().failed[0].reason, HasSubstr("several models"));
  EXPECT_THAT(progress().failed[1].reason, HasSubstr("nobody"));
}

TEST_F(StartupCachesTest, TriesAgainAfterAFullDisk) {
  begin();
  script->failing_saves = 2;
  script->save_error = Error{ErrorCode::kNoSpace, "no space left on the device"};
  make({startup_cache("a")});
  EXPECT_THAT(progress().failed, IsEmpty());
  EXPECT_TRUE(store->find("m", "a", "")->has_binary);
}

TEST_F(StartupCachesTest, TriesAgainWhenTheWorkerDied) {
  begin();
  script->deaths_on_save = 1;
  make({startup_cache("a")});
  EXPECT_THAT(progress().failed, IsEmpty());
  EXPECT_TRUE(store->find("m", "a", "")->has_binary);
}

TEST_F(StartupCachesTest, GivesUpWithTheReasonAndServes) {
  begin();
  script->save_error = Error{ErrorCode::kNoSpace, "no space left on the device"};
  make({startup_cache("a")});
  EXPECT_EQ(progress().done, 0u);
  ASSERT_EQ(progress().failed.size(), 1u);
  EXPECT_THAT(progress().failed.front().reason, HasSubstr("no space left"));
  EXPECT_EQ(complete(chat("hi", {"a"})).cache.tier, CacheTier::kText);
}

TEST_F(StartupCachesTest, DoesNotTryAgainWhatTheEngineCannotDo) {
  script->state_save = false;
  options.startup_pauses_ms = {3'600'000};
  begin();
  make({startup_cache("a")});
  EXPECT_THAT(progress().failed.front().reason, HasSubstr("cannot save states"));
}

TEST_F(StartupCachesTest, ARequiredOneIsPendingUntilItIsMadeOrGivenUp) {
  std::promise<void> may_load;
  script->in_load = [loads = may_load.get_future().share()] { loads.wait(); };
  begin();
  service->startup_caches().begin({startup_cache("a"), startup_cache("b", "m", true)});
  EXPECT_TRUE(progress().required_pending);
  EXPECT_TRUE(wait_until([this] { return progress().current.has_value(); }));
  EXPECT_EQ(progress().current->name, "a");
  may_load.set_value();
  EXPECT_TRUE(wait_until([this] { return !progress().required_pending; }));
  EXPECT_EQ(progress().done, 2u);
}

TEST_F(StartupCachesTest, ShowsHowFarTheCurrentOneIs) {
  script->hold_saves = true;
  begin();
  service->startup_caches().begin({startup_cache("a")});
  ASSERT_TRUE(wait_until([this] { return script->held_save != 0; }));
  tell("m", protocol::Progress{script->held_save, 10, 100});
  tell("m", protocol::Progress{script->held_save, 60, 100});
  const auto current = progress().current;
  ASSERT_TRUE(current);
  EXPECT_EQ(current->done_tokens, 60u);
  EXPECT_EQ(current->total_tokens, 100u);
}

TEST_F(StartupCachesTest, EndsQuietlyWithTheServer) {
  options.startup_pauses_ms = {3'600'000};
  script->save_error = Error{ErrorCode::kIo, "broken"};
  begin();
  service->startup_caches().begin({startup_cache("a")});
  ASSERT_TRUE(wait_until([this] { return !what_was_said().empty(); }));
  service->stop();
  EXPECT_EQ(progress().done, 0u);
  EXPECT_THAT(progress().failed, IsEmpty());
}

}  // namespace
}  // namespace rockllama::test
