#include "cache/commit_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Hash128 kOldTextHash{1, 1};
constexpr Hash128 kNewTextHash{2, 2};
constexpr Hash128 kOldState{3, 3};
constexpr Hash128 kNewState{4, 4};
constexpr Hash128 kOther{5, 5};
const Replacement kText{"a~new.text", "a.bin", kOldTextHash, kNewTextHash};
const Replacement kState{"a~new-1.llama_cache", "a.llama_cache", kOldState, kNewState};

CommitPlan plan(const ObservedFiles& text, const ObservedFiles& state,
                CommitPreference preference = CommitPreference::kForward) {
  return plan_commit(PendingCommit{{}, {kText, kState}}, {text, state}, "a.bin", preference);
}

TEST(CommitPlan, FinishesWhatHasNotBegunWhenAsked) {
  const CommitPlan result = plan({kNewTextHash, kOldTextHash}, {kNewState, kOldState});
  EXPECT_TRUE(result.forward);
  EXPECT_THAT(result.renames, ElementsAre(kText, kState));
  EXPECT_THAT(result.lost_states, IsEmpty());
  EXPECT_THAT(result.removals, IsEmpty());
}

TEST(CommitPlan, UndoesWhatHasNotBegunWhenAsked) {
  const CommitPlan result = plan({kNewTextHash, kOldTextHash}, {kNewState, kOldState}, CommitPreference::kBack);
  EXPECT_FALSE(result.forward);
  EXPECT_THAT(result.renames, IsEmpty());
  EXPECT_THAT(result.lost_states, IsEmpty());
  EXPECT_THAT(result.removals, ElementsAre("a~new.text", "a~new-1.llama_cache"));
}

TEST(CommitPlan, GoesOnlyForwardOnceAFileTookItsPlace) {
  const CommitPlan text_first = plan({std::nullopt, kNewTextHash}, {kNewState, kOldState}, CommitPreference::kBack);
  EXPECT_TRUE(text_first.forward);
  EXPECT_THAT(text_first.renames, ElementsAre(kState));
  const CommitPlan state_first = plan({kNewTextHash, kOldTextHash}, {std::nullopt, kNewState}, CommitPreference::kBack);
  EXPECT_TRUE(state_first.forward);
  EXPECT_THAT(state_first.renames, ElementsAre(kText));
}

TEST(CommitPlan, HasNothingToRenameWhenAllIsInPlace) {
  const CommitPlan result = plan({std::nullopt, kNewTextHash}, {std::nullopt, kNewState});
  EXPECT_TRUE(result.forward);
  EXPECT_THAT(result.renames, IsEmpty());
  EXPECT_THAT(result.lost_states, IsEmpty());
}

TEST(CommitPlan, KeepsTheNewTextWithoutAStateThatIsLost) {
  const CommitPlan result = plan({std::nullopt, kNewTextHash}, {std::nullopt, kOldState});
  EXPECT_TRUE(result.forward);
  EXPECT_THAT(result.lost_states, ElementsAre("a.llama_cache"));
}

TEST(CommitPlan, NeverRenamesAPayloadThatIsNotWhatWasMeant) {
  const CommitPlan result = plan({std::nullopt, kNewTextHash}, {kOther, kOldState});
  EXPECT_THAT(result.renames, IsEmpty());
  EXPECT_THAT(result.lost_states, ElementsAre("a.llama_cache"));
  EXPECT_THAT(result.removals, ElementsAre("a~new-1.llama_cache"));
}

TEST(CommitPlan, KeepsATextThatSomebodyEdited) {
  const CommitPlan result = plan({kNewTextHash, kOther}, {kNewState, kOldState});
  EXPECT_FALSE(result.forward);
  EXPECT_THAT(result.renames, IsEmpty());
  EXPECT_THAT(result.removals, ElementsAre("a~new.text", "a~new-1.llama_cache"));
}

TEST(CommitPlan, DropsANewStateOfAnEditedText) {
  const CommitPlan result = plan({kNewTextHash, kOther}, {std::nullopt, kNewState});
  EXPECT_FALSE(result.forward);
  EXPECT_THAT(result.lost_states, ElementsAre("a.llama_cache"));
  EXPECT_THAT(result.removals, ElementsAre("a~new.text", "a.llama_cache"));
}

TEST(CommitPlan, StaysAtTheOldTextWhenTheNewOneIsLost) {
  EXPECT_FALSE(plan({std::nullopt, kOldTextHash}, {kNewState, kOldState}).forward);
  EXPECT_FALSE(plan({kOther, kOldTextHash}, {kNewState, kOldState}).forward);
}

TEST(CommitPlan, PutsTheNewTextWhereTheOldOneIsMissing) {
  EXPECT_TRUE(plan({kNewTextHash, std::nullopt}, {kNewState, kOldState}).forward);
}

// Whatever is on disk: a text is only replaced by the one that was meant, and only where it is the one that was known.
TEST(CommitPlan, HoldsForEveryMixOfFiles) {
  const std::vector<std::optional<Hash128>> texts = {std::nullopt, kOldTextHash, kNewTextHash, kOther};
  const std::vector<std::optional<Hash128>> states = {std::nullopt, kOldState, kNewState, kOther};
  for (const auto& text_from : texts) {
    for (const auto& text_to : texts) {
      for (const auto& state_from : states) {
        for (const auto& state_to : states) {
          for (const auto preference : {CommitPreference::kForward, CommitPreference::kBack}) {
            const CommitPlan result = plan({text_from, text_to}, {state_from, state_to}, preference);
            for (const Replacement& rename : result.renames) {
              if (rename.to != "a.bin") continue;
              EXPECT_EQ(text_from, kNewTextHash);
              EXPECT_TRUE(!text_to || text_to == kOldTextHash);
            }
            for (const std::string& removal : result.removals) EXPECT_FALSE(removal.ends_with(".bin"));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rockllama
