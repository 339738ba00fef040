#include "engines/llama_cpp/kv_ledger.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::Optional;

constexpr LedgerLimits kLimits{.cells = 1000, .generations = 2, .idle_residents = 2};

CellRequest text(uint32_t tokens) { return {.tokens = tokens}; }
CellRequest over(uint32_t tokens, const std::string& id, uint32_t reuse_tokens, uint32_t restore_tokens = 0) {
  return {.tokens = tokens, .resident = id, .reuse_tokens = reuse_tokens, .restore_tokens = restore_tokens};
}

TEST(KvLedger, NeverFitsWhatIsLargerThanTheBuffer) {
  EXPECT_EQ(KvLedger(kLimits).fit(text(1001)), Fit::kNever);
  EXPECT_EQ(KvLedger(kLimits).fit(text(1000)), Fit::kNow);
}

TEST(KvLedger, LetsAGenerationWaitUntilItsCellsAreFree) {
  KvLedger ledger(kLimits);
  const int32_t running = ledger.add_generation(700, "", 0);
  EXPECT_EQ(ledger.fit(text(301)), Fit::kLater);
  EXPECT_EQ(ledger.fit(text(300)), Fit::kNow);
  ledger.remove_generation(running);
  EXPECT_EQ(ledger.fit(text(301)), Fit::kNow);
}

TEST(KvLedger, LetsAGenerationWaitWhileAllSequencesRun) {
  KvLedger ledger(kLimits);
  ledger.add_generation(1, "", 0);
  ledger.add_generation(1, "", 0);
  EXPECT_EQ(ledger.fit(text(1)), Fit::kLater);
}

TEST(KvLedger, CountsWhatAFollowerSharesWithARunningGenerationOnce) {
  KvLedger ledger(kLimits);
  const int32_t first = ledger.add_generation(700, "", 0);
  EXPECT_EQ(ledger.fit({.tokens = 800, .running_tokens = 500}), Fit::kNow);
  EXPECT_EQ(ledger.fit({.tokens = 801, .running_tokens = 500}), Fit::kLater);
  const int32_t follower = ledger.add_follower(800, first, 500);
  EXPECT_EQ(ledger.used_cells(), 1000u);
  ledger.remove_generation(first);
  EXPECT_EQ(ledger.used_cells(), 800u);
  ledger.remove_generation(follower);
  EXPECT_EQ(ledger.used_cells(), 0u);
}

TEST(KvLedger, CountsSharedCellsOnce) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 600, false);
  ledger.add_generation(800, "a", 600);
  EXPECT_EQ(ledger.used_cells(), 800u);
  EXPECT_EQ(ledger.fit(over(800, "a", 600)), Fit::kNow);
  EXPECT_EQ(ledger.fit(over(801, "a", 600)), Fit::kLater);
  EXPECT_EQ(ledger.fit(text(201)), Fit::kLater);
}

TEST(KvLedger, CountsOfAPrefixOnlyWhatIsShared) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 600, false);
  ledger.add_generation(500, "a", 200);
  EXPECT_EQ(ledger.used_cells(), 900u);
  // The other 400 of the prefix may leave.
  EXPECT_EQ(ledger.fit(text(500)), Fit::kNow);
  EXPECT_EQ(ledger.fit(text(501)), Fit::kLater);
  EXPECT_EQ(ledger.fit(over(700, "a", 600)), Fit::kNow);
  EXPECT_EQ(ledger.fit(over(701, "a", 600)), Fit::kLater);
}

TEST(KvLedger, CountsTheCellsOfAStateThatMustBeBroughtIn) {
  KvLedger ledger(kLimits);
  ledger.add_generation(300, "", 0);
  EXPECT_EQ(ledger.fit(over(700, "a", 500, 500)), Fit::kNow);
  EXPECT_EQ(ledger.fit(over(600, "a", 500, 700)), Fit::kNow);
  EXPECT_EQ(ledger.fit(over(600, "a", 500, 701)), Fit::kLater);
}

TEST(KvLedger, CountsResidentsAsRoom) {
  KvLedger ledger(kLimits);
  ledger.add_resident("idle", 500, false);
  ledger.add_generation(300, "", 0);
  EXPECT_EQ(ledger.fit(text(700)), Fit::kNow);
  EXPECT_EQ(ledger.fit(text(701)), Fit::kLater);
}

TEST(KvLedger, GivesBackWhatAnEndedGenerationReservedAndDidNotUse) {
  KvLedger ledger(kLimits);
  const int32_t running = ledger.add_generation(900, "", 0);
  ledger.keep_generation(running, "#1", 120, true);
  EXPECT_EQ(ledger.used_cells(), 120u);
  ASSERT_NE(ledger.find("#1"), nullptr);
  EXPECT_EQ(ledger.find("#1")->sequence, running);
  EXPECT_EQ(ledger.find("#1")->tokens, 120u);
  EXPECT_TRUE(ledger.alone());
}

TEST(KvLedger, KeepsTheCellsThatAPrefixSharesWithOneThatLeaves) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 300, true);
  const int32_t running = ledger.add_generation(500, "a", 200);
  ledger.keep_generation(running, "#1", 250, true);
  EXPECT_EQ(ledger.used_cells(), 350u);
  ledger.remove_resident("a");
  EXPECT_EQ(ledger.used_cells(), 250u);
}

TEST(KvLedger, LetsTheLeastRecentlyUsedLeaveFirst) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 300, true);
  ledger.add_resident("b", 300, false);
  ledger.add_resident("c", 300, false);
  ledger.remove_generation(ledger.add_generation(300, "a", 300));  // a is now the one used last
  EXPECT_EQ(ledger.leaves_for(100, 0, ""), std::nullopt);
  EXPECT_THAT(ledger.leaves_for(101, 0, ""), Optional(std::string("b")));
  EXPECT_THAT(ledger.leaves_for(101, 0, "b"), Optional(std::string("c")));
}

TEST(KvLedger, LetsResidentsInUseLeaveLast) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 500, true);
  ledger.add_generation(550, "a", 400);
  ledger.add_resident("b", 100, false);
  EXPECT_TRUE(ledger.in_use("a"));
  EXPECT_THAT(ledger.leaves_for(400, 0, ""), Optional(std::string("b")));
  ledger.remove_resident("b");
  EXPECT_THAT(ledger.leaves_for(400, 0, ""), Optional(std::string("a")));
  EXPECT_EQ(ledger.leaves_for(400, 0, "a"), std::nullopt);
  EXPECT_EQ(ledger.leaves_idle(), std::nullopt);
}

TEST(KvLedger, KeepsTwoIdleResidents) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 10, true);
  ledger.add_resident("b", 10, false);
  EXPECT_EQ(ledger.leaves_idle(), std::nullopt);
  ledger.add_resident("c", 10, false);
  EXPECT_THAT(ledger.leaves_idle(), Optional(std::string("a")));
}

TEST(KvLedger, GivesSequencesBackAndAsksForThem) {
  KvLedger ledger(kLimits);
  for (int round = 0; round < 10; ++round) {
    ledger.add_resident("a", 10, true);
    const int32_t running = ledger.add_generation(20, "a", 10);
    EXPECT_LT(running, 6);
    ledger.remove_generation(running);
    ledger.remove_resident("a");
  }
  EXPECT_EQ(ledger.used_cells(), 0u);
  for (const char* id : {"a", "b", "c", "d", "e"}) ledger.add_resident(id, 10, false);
  EXPECT_EQ(ledger.leaves_for(0, 1, ""), std::nullopt);
  EXPECT_THAT(ledger.leaves_for(0, 2, "a"), Optional(std::string("b")));
}

}  // namespace
}  // namespace rockllama
