// Models whose states cannot be cut: recurrent ones and ones with a sliding window. A prefix serves whole or not at
// all, and the answer is right either way.
#include <gmock/gmock.h>

#include <cstdio>

#include "tests/support/llama_engine_run.h"
#include "tests/support/tiny_engine_model.h"

namespace rockllama {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kAnswerTokens = 8;
// What another past changes in the logits is far more than what other pieces of the same past may.
constexpr double kOtherPast = 0.3;
constexpr double kOtherPieces = 0.05;

class WholeStates : public ::testing::TestWithParam<TinyShape> {
 protected:
  LlamaEngineRun::Outcome cold(const std::vector<int32_t>& prompt, const std::vector<int32_t>& prefix = {}) const {
    LlamaEngineRun run(test_spec(), tiny_model(GetParam()));
    return run.run(run.task(1, prompt, kAnswerTokens, prefix));
  }

  LlamaEngineRun run_{test_spec(), tiny_model(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(OfShape, WholeStates, ::testing::Values(TinyShape::kRecurrent, TinyShape::kSlidingWindow),
                         [](const auto& shape) {
                           return shape.param == TinyShape::kRecurrent ? "Recurrent" : "SlidingWindow";
                         });

TEST_P(WholeStates, CannotBeCut) { EXPECT_FALSE(states_can_be_cut(tiny_model(GetParam()).get())); }

TEST_P(WholeStates, DependOnWhatCameBefore) {
  const std::vector<int32_t> end = test_tokens(5, 7);
  EXPECT_GT(largest_difference(cold(joined(test_tokens(40), end)), cold(joined(test_tokens(40, 1), end))), kOtherPast);
}

TEST_P(WholeStates, ServeAtTheirBorder) {
  for (const size_t size : {size_t{40}, size_t{300}}) {  // inside the window, and longer than it
    const std::vector<int32_t> prefix = test_tokens(size);
    const std::vector<int32_t> prompt = joined(prefix, test_tokens(60, 7));
    const auto expected = cold(prompt, prefix);
    const UniqueFd file = run_.save(prefix);
    const std::string id = "a/chat/" + std::to_string(size);
    for (const RequestId request : {size, size + 1}) {
      GenerationTask task = run_.task_over(request, prompt, kAnswerTokens, prefix, id, copy_of(file));
      task.reuse = ReusePolicy::kExact;
      const auto& over = run_.run(std::move(task));
      EXPECT_EQ(over.cache->tokens, size);
      EXPECT_EQ(over.cache->reason, "");
      const double difference = largest_difference(over, expected);
      std::printf("largest logit difference over a state of %zu tokens: %.6f\n", size, difference);
      // Of what slid out of the window a state has no cells, so the others lie elsewhere than in a cold run.
      if (GetParam() == TinyShape::kRecurrent || size < kTinyWindow) {
        EXPECT_TRUE(over.logits == expected.logits) << difference;
      } else {
        EXPECT_LT(difference, kOtherPieces);
      }
    }
  }
}

TEST_P(WholeStates, ServeTheNextTurnOfAConversation) {
  const std::vector<int32_t> first = test_tokens(200);
  const auto answer = run_.run(run_.task(1, first, kAnswerTokens));
  const std::vector<int32_t> second = joined(joined(first, answer.tokens), test_tokens(40, 1));
  const auto& next = run_.run(run_.task(2, second, kAnswerTokens));
  EXPECT_EQ(next.cache->tier, CacheTier::kResident);
  EXPECT_EQ(next.prefilled, 41u);
  EXPECT_LT(largest_difference(next, cold(second)), kOtherPieces) << "next turn";

  run_.run(run_.task(3, test_tokens(100, 5), kAnswerTokens));
  const std::vector<int32_t> third = joined(joined(second, next.tokens), test_tokens(40, 2));
  const auto& back = run_.run(run_.task(4, third, kAnswerTokens));
  EXPECT_EQ(back.cache->tier, CacheTier::kMemory);
  EXPECT_EQ(back.prefilled, 41u);
  EXPECT_LT(largest_difference(back, cold(third)), kOtherPieces);
}

TEST_P(WholeStates, StayForTheOtherWayThatAConversationTakes) {
  const std::vector<int32_t> first = test_tokens(200);
  const auto answer = run_.run(run_.task(1, first, kAnswerTokens));
  const std::vector<int32_t> answered = joined(first, answer.tokens);
  run_.run(run_.task(2, joined(answered, test_tokens(40, 1)), kAnswerTokens));
  EXPECT_EQ(run_.run(run_.task(3, joined(answered, test_tokens(40, 2)), kAnswerTokens)).prefilled, 41u);
}

TEST_P(WholeStates, AreNotUsedWhereThePromptFollowsOnlyAPart) {
  const std::vector<int32_t> prefix = test_tokens(300);
  const std::vector<int32_t> prompt = joined(test_tokens(280), test_tokens(50, 8));
  const auto expected = cold(prompt, prefix);
  const UniqueFd file = run_.save(prefix);
  const auto& named = run_.run(run_.task_over(1, prompt, kAnswerTokens, prefix, "a/chat/1", copy_of(file)));
  EXPECT_EQ(named.cache->tier, CacheTier::kText);
  EXPECT_EQ(named.cache->tokens, 0u);
  EXPECT_THAT(named.cache->reason, HasSubstr("whole or not at all"));
  EXPECT_TRUE(named.logits == expected.logits);

  run_.run(run_.task(2, prefix, kAnswerTokens));
  const auto& automatic = run_.run(run_.task(3, prompt, kAnswerTokens, prefix));
  EXPECT_EQ(automatic.cache->tokens, 0u);
  EXPECT_TRUE(automatic.logits == expected.logits);
}

TEST_P(WholeStates, OfACancelledRequestDoNoHarm) {
  const std::vector<int32_t> prompt = test_tokens(200);
  const auto expected = cold(prompt);
  for (RequestId id = 1; id < 4; ++id) {
    run_.engine().start(run_.task(id, prompt, 50));
    run_.run_until(id, id);
    run_.engine().cancel(id);
    run_.run();
  }
  const auto& again = run_.run(run_.task(9, prompt, kAnswerTokens));
  EXPECT_TRUE(again.logits == expected.logits) << largest_difference(again, expected);
}

TEST_P(WholeStates, ServeRequestsThatRunTogether) {
  const std::vector<int32_t> first = test_tokens(200);
  const auto answer = run_.run(run_.task(1, first, kAnswerTokens));
  for (const RequestId id : {2, 3}) {
    run_.engine().start(
        run_.task(id, joined(joined(first, answer.tokens), test_tokens(40, static_cast<int>(id))), kAnswerTokens));
  }
  run_.run();
  for (const RequestId id : {2, 3}) {
    EXPECT_EQ(run_.outcomes[id].prefilled, 41u);
    const auto prompt = joined(joined(first, answer.tokens), test_tokens(40, static_cast<int>(id)));
    EXPECT_LT(largest_difference(run_.outcomes[id], cold(prompt)), kOtherPieces);
  }
}

}  // namespace
}  // namespace rockllama
