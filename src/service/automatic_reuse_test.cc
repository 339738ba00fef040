// States that requests find by themselves: what the worker is told of them, and what becomes of its offers.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "service/service.h"
#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::Contains;

constexpr const char* kCached = "You know every star by its name.";

class AutomaticReuseTest : public ServiceFixture {
 protected:
  ~AutomaticReuseTest() override {
    if (service) service->stop();
  }
  // What the workers were asked and told.
  std::vector<std::string> heard() {
    const std::lock_guard lock(said_mutex);
    std::vector<std::string> all = *said;
    all.insert(all.end(), told_states.begin(), told_states.end());
    return all;
  }
  bool hears(const std::string& what) {
    return wait_until([&] {
      const auto all = heard();
      return std::find(all.begin(), all.end(), what) != all.end();
    });
  }
  void create_cache() { ASSERT_TRUE(create({.model = "m", .name = "c", .text = kCached})); }
  // Of seven tokens, as the worker of the fixture writes them.
  [[nodiscard]] protocol::Offered an_offer() const {
    return {.offer = 9,
            .state = {.key = {.tokens = 7, .token_hash = hash_bytes("offered")}, .cuts = {7}},
            .bytes = script->payload.size(),
            .value = 1};
  }
  bool kept(uint64_t entries) {
    return wait_until([&] { return store->use().automatic_entries == entries; });
  }
};

TEST_F(AutomaticReuseTest, TellsTheWorkerOfTheStatesAndOfWhatChanges) {
  begin();
  create_cache();
  EXPECT_THAT(heard(), Contains("known reset +0 -0"));
  EXPECT_THAT(heard(), Contains("known +2 -0"));
  ASSERT_TRUE(service->caches().remove("m", "c", {}));
  EXPECT_THAT(heard(), Contains("known +0 -2"));
}

TEST_F(AutomaticReuseTest, TellsEachLifeOfTheWorkerAll) {
  begin();
  create_cache();
  script->deaths_on_start = 1;
  (void)complete(chat("hi"));
  EXPECT_THAT(heard(), Contains("known reset +2 -0"));
}

TEST_F(AutomaticReuseTest, OpensTheStateThatTheWorkerFoundAndCountsItAsAHit) {
  begin();
  create_cache();
  script->finds_states = true;
  const CompletionDone done = complete(chat("hi"));
  EXPECT_EQ(done.cache.tier, CacheTier::kDisk);
  EXPECT_EQ(done.cache.name, "c");
  EXPECT_TRUE(wait_until([this] { return store->find("m", "c", "")->hits == 1; }));
}

TEST_F(AutomaticReuseTest, AnswersFromThePromptWhereAFoundStateIsDamaged) {
  begin();
  create_cache();
  script->finds_states = true;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/cache/m")) {
    if (entry.path().extension() == ".llama_cache") std::ofstream(entry.path()) << "stale";
  }
  const CompletionDone done = complete(chat("hi"));
  EXPECT_FALSE(reused(done.cache));
  EXPECT_FALSE(done.cache.reason.empty());
  EXPECT_THAT(heard(), Contains("known +0 -1"));
}

TEST_F(AutomaticReuseTest, WritesAnOfferAndUsesIt) {
  options.automatic_files = true;
  begin();
  (void)complete(chat("hi"));
  tell("m", an_offer());
  ASSERT_TRUE(kept(1));
  EXPECT_TRUE(hears("known +1 -0"));
  script->finds_states = true;
  const CompletionDone done = complete(chat("hi"));
  EXPECT_EQ(done.cache.tier, CacheTier::kDisk);
  EXPECT_EQ(done.cache.name, "");
}

TEST_F(AutomaticReuseTest, LetsOffersGoWithoutAutomaticFiles) {
  begin();
  (void)complete(chat("hi"));
  tell("m", an_offer());
  EXPECT_TRUE(hears("let go"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/cache/m/auto"));
}

TEST_F(AutomaticReuseTest, LetsAnOfferGoThatDoesNotPay) {
  options.automatic_files = true;
  begin();
  (void)complete(chat("hi"));
  tell("m", protocol::Figures{{.prefill_tokens_per_s = 1e6, .restore_bytes_per_s = 1}});
  tell("m", an_offer());
  EXPECT_TRUE(hears("let go"));
  EXPECT_EQ(service->caches().stats().models.at("m").figures.prefill_tokens_per_s, 1e6);
}

TEST_F(AutomaticReuseTest, KeepsNothingOfAWriteThatFailed) {
  options.automatic_files = true;
  begin();
  (void)complete(chat("hi"));
  script->save_error = Error{ErrorCode::kIo, "the disk said no"};
  tell("m", an_offer());
  EXPECT_TRUE(hears("keep"));
  EXPECT_TRUE(wait_until([this] { return std::filesystem::is_empty(folder + "/cache/m/auto"); }));
}

TEST_F(AutomaticReuseTest, KeepsNothingOfAWorkerThatDiedWhileItWrote) {
  options.automatic_files = true;
  script->hold_saves = true;
  begin();
  (void)complete(chat("hi"));
  tell("m", an_offer());
  EXPECT_TRUE(hears("keep"));
  tell("m", WorkerLost{.reason = "it fell over"});
  EXPECT_TRUE(wait_until([this] { return std::filesystem::is_empty(folder + "/cache/m/auto"); }));
}

TEST_F(AutomaticReuseTest, WritesWhatTheWorkerOffersAtItsEnd) {
  options.automatic_files = true;
  script->last_offers = {an_offer()};
  begin();
  (void)complete(chat("hi"));
  service->stop();
  EXPECT_EQ(store->use().automatic_entries, 1u);
}

TEST_F(AutomaticReuseTest, RemovesAnAutomaticStateThatKilledTheWorker) {
  options.automatic_files = true;
  begin();
  (void)complete(chat("hi"));
  tell("m", an_offer());
  ASSERT_TRUE(kept(1));
  EXPECT_TRUE(hears("known +1 -0"));
  script->finds_states = true;
  script->dies_restoring = "it fell over";
  EXPECT_FALSE(reused(complete(chat("hi")).cache));
  EXPECT_TRUE(kept(0));
}

TEST_F(AutomaticReuseTest, FindsACacheByItsTextWhereThereIsNoTokenizer) {
  script->token_counts = false;
  begin();
  create_cache();
  CompletionRequest request = chat("hi");
  request.prompt = ChatPrompt{.messages = {{"system", kCached}, {"user", "hi"}}};
  EXPECT_EQ(complete(request).cache.name, "c");
  request.prompt = TextPrompt{std::string(kCached) + " Which is red?"};
  EXPECT_EQ(complete(request).cache.name, "c");
  EXPECT_THAT(heard(), Contains("prompt  Which is red?"));
  request.prompt = TextPrompt{"Which is red?"};
  EXPECT_EQ(complete(request).cache.name, "");
}

TEST_F(AutomaticReuseTest, LooksForNoTextWhereReuseIsOff) {
  script->token_counts = false;
  begin();
  create_cache();
  CompletionRequest request = chat("hi");
  request.prompt = ChatPrompt{.messages = {{"system", kCached}, {"user", "hi"}}};
  request.options.reuse = ReusePolicy::kNone;
  EXPECT_EQ(complete(request).cache.name, "");
}

}  // namespace
}  // namespace rockllama::test
