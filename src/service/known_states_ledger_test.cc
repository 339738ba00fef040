#include "service/known_states_ledger.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

KnownState known(const std::string& id) { return {.key = {.id = id}}; }

std::vector<std::string> added(const std::vector<protocol::KnownStates>& messages) {
  std::vector<std::string> ids;
  for (const auto& message : messages) {
    for (const KnownState& state : message.added) ids.push_back(state.key.id);
  }
  return ids;
}

TEST(KnownStatesLedger, TellsAllFirstAndThenWhatChanged) {
  KnownStatesLedger ledger;
  const auto first = ledger.update({known("a"), known("b")});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(first[0].reset);
  EXPECT_THAT(added(first), ElementsAre("a", "b"));
  EXPECT_THAT(ledger.update({known("b"), known("a")}), IsEmpty());
  const auto next = ledger.update({known("b"), known("c")});
  ASSERT_EQ(next.size(), 1u);
  EXPECT_FALSE(next[0].reset);
  EXPECT_THAT(next[0].removed, ElementsAre("a"));
  EXPECT_THAT(added(next), ElementsAre("c"));
}

TEST(KnownStatesLedger, ResetsEachLifeEvenWithoutStates) {
  KnownStatesLedger ledger;
  EXPECT_EQ(ledger.update({}), (std::vector<protocol::KnownStates>{{.reset = true}}));
  EXPECT_THAT(ledger.update({}), IsEmpty());
  ledger.forget();
  EXPECT_TRUE(ledger.update({known("a")}).front().reset);
}

TEST(KnownStatesLedger, NeverTellsAgainOfAStateThatWasWithdrawn) {
  KnownStatesLedger ledger;
  (void)ledger.update({known("a"), known("b")});
  EXPECT_THAT(ledger.withdraw("a").front().removed, ElementsAre("a"));
  EXPECT_THAT(ledger.withdraw("a"), IsEmpty());
  EXPECT_THAT(ledger.update({known("a"), known("b")}), IsEmpty());
}

TEST(KnownStatesLedger, SplitsALongListIntoMessages) {
  KnownStatesLedger ledger;
  std::vector<KnownState> states;
  for (int i = 0; i < 50; ++i)
    states.push_back({.key = {.id = std::to_string(i)}, .cuts = std::vector<uint32_t>(9000)});
  const auto messages = ledger.update(states);
  EXPECT_EQ(messages.size(), 2u);
  EXPECT_TRUE(messages[0].reset);
  EXPECT_FALSE(messages[1].reset);
  EXPECT_EQ(added(messages).size(), 50u);
}

}  // namespace
}  // namespace rockllama
