// Automatic reuse (docs/architecture.md, "How a prompt cache works"): what a finished generation leaves behind serves
// the next ones.
#include <gmock/gmock.h>

#include <cstdio>

#include "tests/support/tiny_engine_model.h"

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kAnswer = 8;

// Where what the model says does not matter; many tokens are decoded here.
class TinyEngineRun : public LlamaEngineRun {
 public:
  explicit TinyEngineRun(const ModelSpec& spec = test_spec()) : LlamaEngineRun(spec, tiny_model(TinyShape::kPlain)) {}
};

ModelSpec without_memory() {
  ModelSpec spec = test_spec();
  spec.automatic_memory_bytes = 0;
  return spec;
}

// The prompt of a conversation's next turn: the prompt, the answer, and what is asked now.
std::vector<int32_t> next_turn(const std::vector<int32_t>& prompt, const LlamaEngineRun::Outcome& answer, int seed,
                               size_t asked = 30) {
  return joined(joined(prompt, answer.tokens), test_tokens(asked, 100 + seed));
}

TEST(AutomaticReuse, PrefillsOfTheNextTurnOnlyWhatIsNew) {
  TinyEngineRun run;
  const std::vector<int32_t> first = test_tokens(300);
  const auto& answer = run.run(run.task(1, first, kAnswer));
  const auto& next = run.run(run.task(2, next_turn(first, answer, 1), kAnswer));
  EXPECT_EQ(next.cache->tier, CacheTier::kResident);
  // The last token of the answer was never decoded.
  EXPECT_EQ(next.cache->tokens, 300 + kAnswer - 1);
  EXPECT_EQ(next.prefilled, 31u);
  EXPECT_EQ(next.cache->reason, "");
  EXPECT_EQ(next.cache->name, "");
}

TEST(AutomaticReuse, StaysWithinABoundOfTheColdLogits) {
  LlamaEngineRun run;
  const std::vector<int32_t> first = test_tokens(150);
  const std::vector<int32_t> second = next_turn(first, run.run(run.task(1, first, kAnswer)), 1);
  const std::vector<int32_t> third = next_turn(second, run.run(run.task(2, second, kAnswer)), 2, 100);
  const auto& warm = run.run(run.task(3, third, kAnswer));
  EXPECT_GT(warm.cache->tokens, second.size());
  LlamaEngineRun fresh;
  const double difference = largest_difference(warm, fresh.run(fresh.task(1, third, kAnswer)));
  RecordProperty("largest_logit_difference", std::to_string(difference));
  std::printf("largest logit difference of a third turn: %.4f\n", difference);
  EXPECT_LT(difference, 1.5);
}

TEST(AutomaticReuse, OfARepeatedRequestKeepsEveryBit) {
  LlamaEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(150);
  const auto cold = run.run(run.task(1, prompt, kAnswer));
  for (const RequestId id : {2, 3}) {
    const auto& again = run.run(run.task(id, prompt, kAnswer));
    EXPECT_EQ(again.cache->tokens, 128u);
    EXPECT_EQ(again.prefilled, 22u);
    EXPECT_TRUE(again.logits == cold.logits) << largest_difference(again, cold);
  }
}

TEST(AutomaticReuse, OfAnEditedPromptKeepsEveryBit) {
  TinyEngineRun run;
  run.run(run.task(1, test_tokens(300), kAnswer));
  const std::vector<int32_t> edited = joined(test_tokens(200), test_tokens(100, 5));
  const auto& over = run.run(run.task(2, edited, kAnswer));
  EXPECT_EQ(over.cache->tokens, 128u);
  TinyEngineRun fresh;
  EXPECT_TRUE(over.logits == fresh.run(fresh.task(1, edited, kAnswer)).logits);
}

TEST(AutomaticReuse, OfARepeatedRequestKeepsEveryBitFromMemoryToo) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  const auto cold = run.run(run.task(1, prompt, kAnswer));
  run.run(run.task(2, test_tokens(300, 1), kAnswer));
  const auto& again = run.run(run.task(3, prompt, kAnswer));
  EXPECT_EQ(again.cache->tier, CacheTier::kMemory);
  EXPECT_EQ(again.cache->tokens, 256u);
  EXPECT_GT(again.cache->restore_ms, 0.0);
  EXPECT_TRUE(again.logits == cold.logits) << largest_difference(again, cold);
}

TEST(AutomaticReuse, ServesSeveralConversationsThatTakeTurns) {
  ModelSpec spec = test_spec();
  spec.kv_tokens = 1024;
  TinyEngineRun run(spec);
  run.keep_logits = false;
  constexpr int kConversations = 5;
  std::vector<std::vector<int32_t>> prompts;
  for (int i = 0; i < kConversations; ++i) prompts.push_back(test_tokens(300, i));
  RequestId id = 0;
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < kConversations; ++i) {
      std::vector<int32_t>& prompt = prompts[static_cast<size_t>(i)];
      const auto& answer = run.run(run.task(++id, prompt, kAnswer));
      if (turn > 0) {
        EXPECT_EQ(answer.cache->tier, CacheTier::kMemory);
        EXPECT_EQ(answer.prefilled, 31u);
      }
      prompt = next_turn(prompt, answer, turn);
    }
  }
  EXPECT_EQ(run.figures.back().resident_prefixes + run.figures.back().memory_prefixes, 5u);
}

TEST(AutomaticReuse, DoesNotCrossSalts) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  GenerationTask first = run.task(1, prompt, kAnswer);
  first.salt = {1, 2};
  const auto answer = run.run(std::move(first));
  GenerationTask other = run.task(2, next_turn(prompt, answer, 1), kAnswer);
  other.salt = {1, 3};
  EXPECT_EQ(run.run(std::move(other)).cache->tokens, 0u);
  GenerationTask nobody = run.task(3, next_turn(prompt, answer, 2), kAnswer);
  EXPECT_EQ(run.run(std::move(nobody)).cache->tokens, 0u);
  GenerationTask same = run.task(4, next_turn(prompt, answer, 3), kAnswer);
  same.salt = {1, 2};
  EXPECT_EQ(run.run(std::move(same)).cache->tokens, 300 + kAnswer - 1);
}

TEST(AutomaticReuse, ReusesOnlyWhatWasAskedFor) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  const std::vector<int32_t> next = next_turn(prompt, run.run(run.task(1, prompt, kAnswer)), 1);
  GenerationTask exact = run.task(2, next, kAnswer);
  exact.reuse = ReusePolicy::kExact;
  const auto& over = run.run(std::move(exact));
  EXPECT_EQ(over.cache->tokens, 256u);
  GenerationTask none = run.task(3, next, kAnswer);
  none.reuse = ReusePolicy::kNone;
  const auto& cold = run.run(std::move(none));
  EXPECT_EQ(cold.cache->tokens, 0u);
  EXPECT_EQ(cold.prefilled, next.size());
  EXPECT_TRUE(over.logits == cold.logits) << largest_difference(over, cold);
}

TEST(AutomaticReuse, UnderExactTakesNothingThatWasPrefilledBesideOthers) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  run.engine().start(run.task(1, test_tokens(300, 1), kAnswer));
  run.engine().start(run.task(2, prompt, kAnswer));
  run.run();
  GenerationTask exact = run.task(3, prompt, kAnswer);
  exact.reuse = ReusePolicy::kExact;
  EXPECT_EQ(run.run(std::move(exact)).cache->tokens, 0u);
}

TEST(AutomaticReuse, CanBeTurnedOff) {
  ModelSpec spec = test_spec();
  spec.automatic_reuse = false;
  TinyEngineRun run(spec);
  const std::vector<int32_t> prompt = test_tokens(300);
  run.run(run.task(1, prompt, kAnswer));
  EXPECT_EQ(run.run(run.task(2, prompt, kAnswer)).cache->tokens, 0u);
}

class OverANamedCache : public ::testing::Test {
 protected:
  GenerationTask over(RequestId id, const std::vector<int32_t>& prompt) {
    return run_.task_over(id, prompt, kAnswer, prefix_, "a/chat/1", copy_of(file_));
  }

  TinyEngineRun run_;
  std::vector<int32_t> prefix_ = test_tokens(300);
  UniqueFd file_ = run_.save(prefix_);
};

TEST_F(OverANamedCache, AConversationGoesOnFromItsLastTurn) {
  const std::vector<int32_t> prompt = joined(prefix_, test_tokens(20, 1));
  const auto& first = run_.run(over(1, prompt));
  EXPECT_EQ(first.cache->tier, CacheTier::kDisk);
  const auto& next = run_.run(over(2, next_turn(prompt, first, 1)));
  EXPECT_EQ(next.cache->tokens, prompt.size() + kAnswer - 1);
  EXPECT_EQ(next.cache->tier, CacheTier::kResident);
  EXPECT_EQ(next.cache->name, "a/chat/1");
  EXPECT_EQ(next.cache->reason, "");
}

TEST_F(OverANamedCache, ARepeatedRequestKeepsEveryBit) {
  const std::vector<int32_t> prompt = joined(prefix_, test_tokens(300, 1));
  TinyEngineRun fresh;
  const auto cold = fresh.run(fresh.task(1, prompt, kAnswer, prefix_));
  run_.run(over(1, prompt));
  const auto& again = run_.run(over(2, prompt));
  EXPECT_EQ(again.cache->tokens, 556u);  // two blocks behind the cache
  EXPECT_TRUE(again.logits == cold.logits) << largest_difference(again, cold);
}

TEST_F(OverANamedCache, TheNamedStateWinsWhereTheOtherIsNotExact) {
  const std::vector<int32_t> prompt = joined(prefix_, test_tokens(300, 1));
  TinyEngineRun fresh;
  const auto cold = fresh.run(fresh.task(1, prompt, kAnswer, prefix_));
  run_.engine().start(run_.task(1, test_tokens(300, 2), 20));
  run_.engine().start(over(2, prompt));
  run_.run();
  const auto& again = run_.run(over(3, prompt));
  EXPECT_EQ(again.cache->tokens, 300u);
  EXPECT_TRUE(again.logits == cold.logits) << largest_difference(again, cold);
}

TEST(AutomaticReuse, OfACancelledRequestGoesAsFarAsItWasPrefilled) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  run.engine().start(run.task(1, prompt, 50));
  run.run_until(1, 4);
  run.engine().cancel(1);
  run.run();
  const auto& next = run.run(run.task(2, next_turn(prompt, run.outcomes[1], 1), kAnswer));
  EXPECT_GE(next.cache->tokens, 303u);

  const std::vector<int32_t> other = test_tokens(900, 7);
  run.engine().start(run.task(3, other, 5));
  EXPECT_TRUE(run.engine().step());
  run.engine().cancel(3);
  run.run();
  const auto& again = run.run(run.task(4, other, kAnswer));
  EXPECT_EQ(again.cache->tokens, 128u);
  TinyEngineRun fresh;
  EXPECT_TRUE(again.logits == fresh.run(fresh.task(1, other, kAnswer)).logits);
}

TEST(AutomaticReuse, OfARequestThatAStopStringEnded) {
  TinyEngineRun run;
  const std::vector<int32_t> prompt = test_tokens(300);
  run.stop_after[1] = 3;
  const auto& answer = run.run(run.task(1, prompt, 50));
  EXPECT_EQ(run.run(run.task(2, next_turn(prompt, answer, 1), kAnswer)).cache->tokens, 302u);
}

TEST(AutomaticReuse, SharesOnePrefixAmongRequestsThatRunTogether) {
  ModelSpec spec = test_spec();
  spec.kv_tokens = 768;
  TinyEngineRun run(spec);
  const std::vector<int32_t> prompt = test_tokens(400);
  const auto answer = run.run(run.task(1, prompt, kAnswer));
  // Three times 470 tokens would not fit 768 cells.
  for (const RequestId id : {2, 3, 4}) {
    run.engine().start(run.task(id, next_turn(prompt, answer, static_cast<int>(id)), 30));
  }
  run.run();
  for (const RequestId id : {2, 3, 4}) {
    EXPECT_EQ(run.outcomes[id].cache->tier, CacheTier::kResident);
    EXPECT_EQ(run.outcomes[id].cache->tokens, 400 + kAnswer - 1);
    EXPECT_EQ(run.outcomes[id].tokens.size(), 30u);
  }
}

TEST(AutomaticReuse, WithoutMemoryServesFromTheBufferOnly) {
  TinyEngineRun run(without_memory());
  const std::vector<int32_t> prompt = test_tokens(300);
  const auto answer = run.run(run.task(1, prompt, kAnswer));
  const std::vector<int32_t> next = next_turn(prompt, answer, 1);
  EXPECT_EQ(run.run(run.task(2, next, kAnswer)).cache->tier, CacheTier::kResident);
  EXPECT_EQ(run.figures.back().memory_bytes, 0u);
  run.run(run.task(3, test_tokens(100, 1), kAnswer));
  EXPECT_EQ(run.run(run.task(4, next, kAnswer)).cache->tokens, 0u);
}

TEST(AutomaticReuse, CopiesToMemoryWhenThereIsNothingElseToDo) {
  TinyEngineRun run;
  run.engine().start(run.task(1, test_tokens(300), kAnswer));
  run.run();
  EXPECT_EQ(run.figures.back().resident_prefixes, 1u);
  EXPECT_EQ(run.figures.back().memory_prefixes, 0u);
  EXPECT_GT(run.figures.back().memory_bytes, 300 * run.engine().model().kv_bytes_per_token);
  EXPECT_GT(run.figures.back().prefill_tokens_per_s, 0.0);
  EXPECT_FALSE(run.engine().step());
}

TEST(AutomaticReuse, CopiesALongPromptOnceForRequestsThatAddLittleToIt) {
  TinyEngineRun run;
  const auto ask = [&run](RequestId id) {
    return run.run(run.task(id, joined(test_tokens(512), test_tokens(5, static_cast<int>(id))), 4));
  };
  for (const RequestId id : {1, 2, 3}) ask(id);
  EXPECT_LT(run.figures.back().memory_bytes, 2 * 512 * run.engine().model().kv_bytes_per_token);
  run.run(run.task(4, test_tokens(300, 9), kAnswer));
  EXPECT_EQ(ask(3).cache->tier, CacheTier::kMemory);
  EXPECT_EQ(run.outcomes[3].cache->tokens, 512u);
}

TEST(AutomaticReuse, OfAConversationWhoseTurnsAddLittleGoesOnFromItsLastTurn) {
  TinyEngineRun run;
  std::vector<int32_t> prompt = test_tokens(512);
  uint32_t held = 0;
  for (const RequestId turn : {1, 2, 3, 4}) {
    const auto answer = run.run(run.task(turn, prompt, 4));
    EXPECT_EQ(answer.cache->tokens, held);
    held = static_cast<uint32_t>(prompt.size()) + 3;
    prompt = next_turn(prompt, answer, static_cast<int>(turn), 5);
    run.run(run.task(100 + turn, test_tokens(300, 9), 1));  // drives it out of the buffer
  }
}

TEST(AutomaticReuse, OfASideBranchGoesOnFromTheSharedPartUntilItHasEnoughForACopy) {
  TinyEngineRun run;
  run.run(run.task(1, joined(test_tokens(512), test_tokens(5, 1)), 4));
  std::vector<int32_t> prompt = joined(test_tokens(512), test_tokens(5, 2));
  std::vector<uint32_t> reused;
  for (const RequestId turn : {2, 3, 4, 5}) {
    const auto answer = run.run(run.task(turn, prompt, 4));
    reused.push_back(answer.cache->tokens);
    prompt = next_turn(prompt, answer, static_cast<int>(turn), 5);
    run.run(run.task(100 + turn, test_tokens(300, 9), 1));  // drives it out of the buffer
  }
  EXPECT_THAT(reused, ElementsAre(512, 512, 512 + 5 + 4 + 5 + 3, 512 + 5 + 4 + 5 + 4 + 5 + 3));
}

TEST(AutomaticReuse, FindsAStateOfAConversationAtAnyOfItsPoints) {
  TinyEngineRun run;
  const std::vector<int32_t> saved = test_tokens(300);
  const UniqueFd file = run.save(saved);
  const std::vector<int32_t> prompt = joined(test_tokens(300), test_tokens(200, 1));
  GenerationTask task = run.task(1, prompt, kAnswer);
  task.prefix = PrefixState{
      .key = {"m/auto/1", 300, hash_tokens(saved)}, .reuse_tokens = 270, .file = copy_of(file), .automatic = true};
  const auto& over = run.run(std::move(task));
  EXPECT_EQ(over.cache->tier, CacheTier::kDisk);
  EXPECT_EQ(over.cache->tokens, 270u);
  EXPECT_EQ(over.prefilled, 230u);
  TinyEngineRun fresh;
  EXPECT_LT(largest_difference(over, fresh.run(fresh.task(1, prompt, kAnswer))), 1.5);
}

class Offers : public ::testing::Test {
 protected:
  static ModelSpec spec(uint64_t prefixes) {
    ModelSpec spec = test_spec();
    spec.offer_evicted = true;
    // Room for so many prefixes of 300 tokens.
    TinyEngineRun run;
    spec.automatic_memory_bytes = prefixes * 320 * run.engine().model().kv_bytes_per_token;
    return spec;
  }
};

TEST_F(Offers, ComeForWhatIsLetGoAndCanBeWrittenAndUsedAgain) {
  TinyEngineRun run(spec(2));
  std::vector<std::vector<int32_t>> prompts;
  for (int i = 0; i < 5; ++i) {
    prompts.push_back(test_tokens(300, i));
    run.run(run.task(static_cast<RequestId>(i + 1), prompts.back(), kAnswer));
  }
  ASSERT_FALSE(run.offers.empty());
  const PrefixOffered& offered = run.offers.front();
  const std::vector<int32_t> tokens = [&] {
    std::vector<int32_t> all = joined(prompts[0], run.outcomes[1].tokens);
    all.pop_back();
    return all;
  }();
  EXPECT_EQ(offered.state.key.id, "");
  EXPECT_EQ(offered.state.key.tokens, tokens.size());
  EXPECT_EQ(offered.state.key.token_hash, hash_tokens(tokens));
  EXPECT_THAT(offered.state.cuts, ElementsAre(128, 256, 300));
  ASSERT_EQ(offered.state.points.size(), 3u);
  EXPECT_EQ(offered.state.points[2], (StatePoint{300, hash_tokens(prompts[0])}));
  EXPECT_GT(offered.bytes, 0u);
  EXPECT_GT(offered.value, 0.0);

  const UniqueFd file = memory_file();
  run.engine().keep(77, offered.offer, copy_of(file));
  ASSERT_TRUE(run.outcomes[77].saved);
  EXPECT_EQ(run.outcomes[77].saved->bytes, offered.bytes);
  EXPECT_EQ(run.outcomes[77].saved->token_hash, offered.state.key.token_hash);
  run.engine().keep(78, offered.offer, copy_of(file));
  EXPECT_EQ(run.outcomes[78].error->code, ErrorCode::kNotFound);

  TinyEngineRun restarted;
  const std::vector<int32_t> next = next_turn(prompts[0], run.outcomes[1], 1);
  GenerationTask task = restarted.task(1, next, kAnswer);
  task.prefix = PrefixState{.key = {"m/auto/1", offered.state.key.tokens, offered.state.key.token_hash},
                            .reuse_tokens = offered.state.key.tokens,
                            .file = copy_of(file),
                            .automatic = true};
  const auto& over = restarted.run(std::move(task));
  EXPECT_EQ(over.cache->tier, CacheTier::kDisk);
  EXPECT_EQ(over.prefilled, 31u);
}

TEST_F(Offers, AreForgottenWhenTheServerSaysSo) {
  TinyEngineRun run(spec(2));
  for (int i = 0; i < 5; ++i) run.run(run.task(static_cast<RequestId>(i + 1), test_tokens(300, i), kAnswer));
  ASSERT_FALSE(run.offers.empty());
  const size_t waiting = run.engine().unanswered_offers();
  run.engine().keep(77, run.offers.front().offer, UniqueFd());
  EXPECT_EQ(run.engine().unanswered_offers(), waiting - 1);
  run.engine().keep(78, run.offers.front().offer, memory_file());
  EXPECT_EQ(run.outcomes[78].error->code, ErrorCode::kNotFound);
}

TEST_F(Offers, ComeForAllBeforeTheEnd) {
  TinyEngineRun run(spec(8));
  for (int i = 0; i < 3; ++i) run.run(run.task(static_cast<RequestId>(i + 1), test_tokens(300, i), kAnswer));
  run.run(run.task(9, test_tokens(20, 9), kAnswer));  // a side call is not worth it
  EXPECT_THAT(run.offers, IsEmpty());
  run.engine().offer_all();
  EXPECT_EQ(run.offers.size(), 3u);
  EXPECT_EQ(run.engine().unanswered_offers(), 3u);
}

TEST_F(Offers, DoNotComeUnlessAskedFor) {
  ModelSpec quiet = spec(1);
  quiet.offer_evicted = false;
  TinyEngineRun run(quiet);
  for (int i = 0; i < 5; ++i) run.run(run.task(static_cast<RequestId>(i + 1), test_tokens(300, i), kAnswer));
  run.engine().offer_all();
  EXPECT_THAT(run.offers, IsEmpty());
}

TEST(AutomaticReuse, LetsSideCallsNotPushOutAUsedConversation) {
  ModelSpec spec = test_spec();
  TinyEngineRun sizes;
  spec.automatic_memory_bytes = 700 * sizes.engine().model().kv_bytes_per_token;
  TinyEngineRun run(spec);
  const std::vector<int32_t> prompt = test_tokens(400);
  const auto first = run.run(run.task(1, prompt, kAnswer));
  const std::vector<int32_t> second = next_turn(prompt, first, 1);
  const auto answer = run.run(run.task(2, second, kAnswer));
  for (int i = 0; i < 12; ++i) run.run(run.task(static_cast<RequestId>(10 + i), test_tokens(60, i + 1), kAnswer));
  const auto& third = run.run(run.task(3, next_turn(second, answer, 2), kAnswer));
  EXPECT_EQ(third.cache->tier, CacheTier::kMemory);
  EXPECT_EQ(third.prefilled, 31u);
}

}  // namespace
}  // namespace rockllama
