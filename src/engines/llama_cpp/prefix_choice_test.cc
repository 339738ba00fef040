#include "engines/llama_cpp/prefix_choice.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

constexpr uint32_t kSharedTokens = 6;

// One automatic prefix that was prefilled alone and lies in the buffer, without a copy in memory; and a request that
// begins like it, over a named cache.
class PrefixChoiceTest : public testing::Test {
 protected:
  PrefixChoiceTest() {
    std::vector<uint64_t> replaced = automatic_.add(
        {.tokens = {1, 2, 3, 4, 5, 6, 7, 8}, .cuts = {3, kSharedTokens}, .generated_from = 7, .exact_tokens = 7}, &id_);
    EXPECT_TRUE(replaced.empty());
  }
  void put_into_buffer(bool at_cell_zero) {
    ledger_.add_resident(automatic_.index().find(id_)->resident_id(), 8, at_cell_zero);
  }
  [[nodiscard]] PrefixChoice choose() const { return choose_prefix(task_, ledger_, automatic_, false); }

  KvLedger ledger_{{.cells = 100, .generations = 2, .idle_residents = 2}};
  EngineSpeeds speeds_;
  AutomaticPrefixes automatic_{
      {},
      {},
      &speeds_,
      {.is_resident = [this](const AutomaticPrefix& one) { return ledger_.find(one.resident_id()) != nullptr; },
       .offer = {}}};
  uint64_t id_ = 0;
  GenerationTask task_{.tokens = {1, 2, 3, 4, 5, 6, 20, 21}, .cuts = {3, 6, 8}, .cache_name = "c", .max_tokens = 4};
};

TEST_F(PrefixChoiceTest, TakesAPrefixThatLiesAtCellZero) {
  put_into_buffer(true);
  EXPECT_EQ(choose().automatic, id_);
  EXPECT_EQ(choose().reuse_tokens, kSharedTokens);
}

TEST_F(PrefixChoiceTest, LeavesAPrefixThatWouldChangeTheBitsOfARequestThatRunsAlone) {
  put_into_buffer(false);
  EXPECT_EQ(choose().automatic, 0);
  task_.cache_name.clear();
  EXPECT_EQ(choose().automatic, id_);
  task_.reuse = ReusePolicy::kExact;
  EXPECT_EQ(choose().automatic, 0);
}

TEST_F(PrefixChoiceTest, TakesAPrefixWhereverItLiesBesideOtherRequests) {
  put_into_buffer(false);
  ledger_.add_generation(10, "", 0);
  EXPECT_EQ(choose().automatic, id_);
}

TEST_F(PrefixChoiceTest, DoesNotTakeAStateWithoutAFileFromElsewhereInTheBuffer) {
  task_.prefix = PrefixState{.key = {.id = "c", .tokens = 3}, .reuse_tokens = 3};
  ledger_.add_resident("c", 3, false);
  EXPECT_EQ(choose().resident_id, "");
  EXPECT_EQ(choose().reason, "The state's file could not be opened.");
  ledger_.add_generation(10, "", 0);
  EXPECT_EQ(choose().resident_id, "c");
}

}  // namespace
}  // namespace rockllama
