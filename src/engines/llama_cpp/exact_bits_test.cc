// "Same pieces, same bits" (docs/architecture.md): a generation over a state gives the logits of the same generation
// without it, to the last bit, when it runs alone.
#include <gmock/gmock.h>

#include <cstdio>

#include "tests/support/llama_engine_run.h"

namespace rockllama {
namespace {

using ::testing::Contains;

constexpr uint32_t kTokens = 13;  // the first and a dozen decoded ones

class ExactBits : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    prefix_ = test_tokens(300);
    prompt_ = joined(prefix_, test_tokens(60, 7));
    LlamaEngineRun run;
    cold_ = run.run(run.task(1, prompt_, kTokens, prefix_));
    file_ = run.save(prefix_);
  }

  static LlamaEngineRun::Outcome over_state(LlamaEngineRun& run, RequestId id) {
    return run.run(run.task_over(id, prompt_, kTokens, prefix_, "a", copy_of(file_)));
  }

  static void expect_same(const LlamaEngineRun::Outcome& outcome, CacheTier tier) {
    ASSERT_TRUE(outcome.cache.has_value());
    EXPECT_EQ(outcome.cache->tier, tier) << outcome.cache->reason;
    EXPECT_EQ(outcome.cache->tokens, prefix_.size());
    EXPECT_EQ(outcome.tokens, cold_.tokens);
    ASSERT_EQ(outcome.logits.size(), kTokens);
    EXPECT_TRUE(outcome.logits == cold_.logits) << largest_difference(outcome, cold_);
  }

  static inline std::vector<int32_t> prefix_;
  static inline std::vector<int32_t> prompt_;
  static inline LlamaEngineRun::Outcome cold_;
  static inline UniqueFd file_;
};

TEST_F(ExactBits, OfAFreshStateAreThoseOfTheColdPrompt) {
  LlamaEngineRun run;
  const UniqueFd fresh = run.save(prefix_);
  expect_same(run.run(run.task_over(1, prompt_, kTokens, prefix_, "a", copy_of(fresh))), CacheTier::kDisk);
}

TEST_F(ExactBits, SurviveARestart) {
  LlamaEngineRun run;
  expect_same(over_state(run, 1), CacheTier::kDisk);
}

TEST_F(ExactBits, StayWhenTheStateIsStillResident) {
  LlamaEngineRun run;
  over_state(run, 1);
  expect_same(over_state(run, 2), CacheTier::kResident);
  expect_same(over_state(run, 3), CacheTier::kResident);
}

TEST_F(ExactBits, OfAStateMadeWhileTheEngineWasBusyAreTheSame) {
  LlamaEngineRun run;
  run.keep_logits = false;
  run.engine().start(run.task(1, test_tokens(500, 1), 60));
  run.engine().start(run.task(2, test_tokens(400, 2), 60));
  run.run_until(1, 3);
  const UniqueFd file = memory_file();
  run.engine().save_state(run.save_task(3, prefix_, copy_of(file)));
  run.run();
  EXPECT_THAT(run.events, Contains("saved 3"));
  run.keep_logits = true;
  expect_same(run.run(run.task_over(4, prompt_, kTokens, prefix_, "a", copy_of(file))), CacheTier::kDisk);
}

TEST_F(ExactBits, StayWhenOtherPrefixesWereResidentInBetween) {
  LlamaEngineRun run;
  over_state(run, 1);
  for (const int seed : {3, 4, 5}) {
    const std::vector<int32_t> other = test_tokens(200 + static_cast<size_t>(seed) * 50, seed);
    const auto id = static_cast<RequestId>(seed * 10);
    const UniqueFd file = run.save(other, id);
    run.run(run.task_over(id + 1, joined(other, {1, 2, 3}), 5, other, std::to_string(seed), copy_of(file)));
  }
  expect_same(over_state(run, 2), CacheTier::kDisk);
}

TEST_F(ExactBits, StayWhenTheStateWasResidentBesideRunningRequests) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(300, 1), 40));
  run.run_until(1, 2);
  over_state(run, 2);  // ends after the other: its prefix lies behind those cells
  expect_same(over_state(run, 3), CacheTier::kDisk);
}

TEST_F(ExactBits, OfAColdPromptDoNotDependOnWhatRanBefore) {
  LlamaEngineRun run;
  over_state(run, 1);
  run.run(run.task(2, test_tokens(700, 1), 20));
  GenerationTask task = run.task(3, prompt_, kTokens, prefix_);
  task.reuse = ReusePolicy::kNone;
  const auto& cold = run.run(std::move(task));
  EXPECT_EQ(cold.cache->tier, CacheTier::kNone);
  EXPECT_TRUE(cold.logits == cold_.logits) << largest_difference(cold, cold_);
}

TEST_F(ExactBits, StayWhenOnlyTheFrontOfTheStateServes) {
  LlamaEngineRun run;
  std::vector<int32_t> prompt(prefix_.begin(), prefix_.begin() + 280);
  prompt = joined(prompt, test_tokens(50, 8));
  const auto cold = run.run(run.task(1, prompt, kTokens, prefix_));
  for (const RequestId id : {2, 3}) {
    const auto& cut = run.run(run.task_over(id, prompt, kTokens, prefix_, "a", copy_of(file_)));
    EXPECT_EQ(cut.cache->tokens, 256u);
    EXPECT_NE(cut.cache->reason, "");
    EXPECT_TRUE(cut.logits == cold.logits) << largest_difference(cut, cold);
  }
  expect_same(over_state(run, 4), CacheTier::kDisk);
  const auto& cut = run.run(run.task_over(5, prompt, kTokens, prefix_, "a", copy_of(file_)));
  EXPECT_EQ(cut.cache->tier, CacheTier::kResident);
  EXPECT_TRUE(cut.logits == cold.logits) << largest_difference(cut, cold);
}

TEST_F(ExactBits, BesideRunningRequestsTheLogitsStayWithinABound) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(400, 1), 60));
  run.engine().start(run.task(2, test_tokens(300, 2), 60));
  run.run_until(2, 2);
  const auto& beside = over_state(run, 3);
  const double difference = largest_difference(beside, cold_);
  RecordProperty("largest_logit_difference", std::to_string(difference));
  std::printf("largest logit difference beside running requests: %.4f\n", difference);
  EXPECT_EQ(beside.cache->tier, CacheTier::kDisk);
  EXPECT_LT(difference, 2.0);
}

TEST_F(ExactBits, OfTwoStatesOfOnePrefixAreTheSameBytes) {
  LlamaEngineRun run;
  const UniqueFd again = run.save(prefix_);
  std::vector<char> a(run.outcomes[9000].saved->bytes);
  std::vector<char> b(a.size());
  ASSERT_EQ(::pread(file_.get(), a.data(), a.size(), 0), static_cast<ssize_t>(a.size()));
  ASSERT_EQ(::pread(again.get(), b.data(), b.size(), 0), static_cast<ssize_t>(b.size()));
  EXPECT_TRUE(a == b);
}

std::string content_of(const UniqueFd& file) {
  std::string bytes(static_cast<size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

// A child's state over its parent's, and what was prefilled for it.
class ChildState : public ::testing::Test {
 protected:
  std::string made_over(const UniqueFd& parent_file) {
    SaveStateTask task = run_.save_task(1, child_, copy_of(file_));
    task.cuts = border_cuts(std::vector<uint32_t>{150, 250}, 128);
    task.base = PrefixState{{"m/parent/chat/1", 150, hash_tokens(parent_)}, 150, copy_of(parent_file)};
    if (!parent_file.valid()) task.base.reset();
    run_.engine().save_state(std::move(task));
    run_.run();
    EXPECT_TRUE(run_.outcomes[1].saved.has_value());
    return content_of(file_);
  }

  const std::vector<int32_t> parent_ = test_tokens(150);
  const std::vector<int32_t> child_ = joined(parent_, test_tokens(100, 7));
  const UniqueFd file_ = memory_file();
  LlamaEngineRun run_;
};

TEST_F(ChildState, HasTheBitsOfOneThatWasPrefilledFromItsFirstToken) {
  const std::string whole = made_over(UniqueFd());
  EXPECT_EQ(made_over(run_.save(parent_)), whole);
}

TEST_F(ChildState, IsPrefilledWholeWhereTheParentsIsBroken) {
  const std::string whole = made_over(UniqueFd());
  const UniqueFd broken = run_.save(parent_);
  ASSERT_EQ(::ftruncate(broken.get(), 1000), 0);
  EXPECT_EQ(made_over(broken), whole);
}

}  // namespace
}  // namespace rockllama
