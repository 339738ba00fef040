#include "engines/llama_cpp/kv_ledger.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr LedgerLimits kLimits{.cells = 1000, .generations = 2, .idle_residents = 2};

CellRequest text(uint32_t tokens) { return {.tokens = tokens}; }
CellRequest over_state(uint32_t tokens, const std::string& id, uint32_t state_tokens) {
  return {
      .tokens = tokens, .state_id = id, .state_tokens = state_tokens, .reuse_tokens = state_tokens, .restorable = true};
}

TEST(KvLedger, NeverFitsWhatIsLargerThanTheBuffer) {
  EXPECT_EQ(KvLedger(kLimits).fit(text(1001)), Fit::kNever);
  EXPECT_EQ(KvLedger(kLimits).fit(text(1000)), Fit::kNow);
}

TEST(KvLedger, LetsAGenerationWaitUntilItsCellsAreFree) {
  KvLedger ledger(kLimits);
  const int32_t running = ledger.add_generation(700, "");
  EXPECT_EQ(ledger.fit(text(301)), Fit::kLater);
  EXPECT_EQ(ledger.fit(text(300)), Fit::kNow);
  ledger.remove_generation(running);
  EXPECT_EQ(ledger.fit(text(301)), Fit::kNow);
}

TEST(KvLedger, LetsAGenerationWaitWhileAllSequencesRun) {
  KvLedger ledger(kLimits);
  ledger.add_generation(1, "");
  ledger.add_generation(1, "");
  EXPECT_EQ(ledger.fit(text(1)), Fit::kLater);
}

TEST(KvLedger, CountsSharedCellsOnce) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 600, false);
  ledger.add_generation(200, "a");
  EXPECT_EQ(ledger.used_cells(), 800u);
  EXPECT_EQ(ledger.fit(over_state(800, "a", 600)), Fit::kNow);
  EXPECT_EQ(ledger.fit(over_state(801, "a", 600)), Fit::kLater);
  EXPECT_EQ(ledger.fit(text(201)), Fit::kLater);
}

TEST(KvLedger, CountsTheCellsOfAStateThatMustBeBroughtIn) {
  KvLedger ledger(kLimits);
  ledger.add_generation(300, "");
  CellRequest request = over_state(700, "a", 500);
  EXPECT_EQ(ledger.fit(request), Fit::kNow);
  request.reuse_tokens = 400;  // the tail of 100 stays in the buffer with the resident
  EXPECT_EQ(ledger.fit(request), Fit::kLater);
}

TEST(KvLedger, CountsIdleResidentsAsRoom) {
  KvLedger ledger(kLimits);
  ledger.add_resident("idle", 500, false);
  ledger.add_generation(300, "");
  EXPECT_EQ(ledger.fit(text(700)), Fit::kNow);
  EXPECT_EQ(ledger.fit(text(701)), Fit::kLater);
}

TEST(KvLedger, EvictsTheLeastRecentlyUsedUntilThereIsRoom) {
  KvLedger ledger(kLimits);
  const int32_t a = ledger.add_resident("a", 300, true);
  const int32_t b = ledger.add_resident("b", 300, false);
  ledger.add_resident("c", 300, false);
  const int32_t running = ledger.add_generation(0, "a");  // a is now the one used last
  ledger.remove_generation(running);
  EXPECT_THAT(ledger.make_room(100, ""), IsEmpty());
  EXPECT_THAT(ledger.make_room(400, "c"), ElementsAre(b));
  EXPECT_THAT(ledger.make_room(700, "c"), ElementsAre(a));
  EXPECT_NE(ledger.find("c"), nullptr);
}

TEST(KvLedger, NeverEvictsAResidentInUse) {
  KvLedger ledger(kLimits);
  ledger.add_resident("a", 900, true);
  ledger.add_generation(50, "a");
  EXPECT_THAT(ledger.make_room(500, ""), IsEmpty());
  EXPECT_THAT(ledger.evict_unused(""), IsEmpty());
}

TEST(KvLedger, KeepsTwoIdleResidents) {
  KvLedger ledger(kLimits);
  const int32_t a = ledger.add_resident("a", 10, true);
  ledger.add_resident("b", 10, false);
  ledger.add_resident("c", 10, false);
  EXPECT_THAT(ledger.evict_idle(), ElementsAre(a));
  EXPECT_THAT(ledger.evict_idle(), IsEmpty());
}

TEST(KvLedger, GivesSequencesBack) {
  KvLedger ledger(kLimits);
  for (int round = 0; round < 10; ++round) {
    ledger.add_resident("a", 10, true);
    const int32_t running = ledger.add_generation(10, "a");
    EXPECT_LT(running, 6);
    ledger.remove_generation(running);
    ledger.remove_resident("a");
  }
  EXPECT_EQ(ledger.used_cells(), 0u);
}

}  // namespace
}  // namespace rockllama
