// Requests that arrive together over one prefix prefill it once (docs/architecture.md, "Sharing").
#include <gmock/gmock.h>

#include "tests/support/tiny_engine_model.h"

namespace rockllama {
namespace {

constexpr uint32_t kSystemTokens = 256;  // two blocks
constexpr uint32_t kOwnTokens = 20;      // tokens of each request behind the shared ones
constexpr uint32_t kGeneratedTokens = 6;

class SingleFlightTest : public testing::Test {
 protected:
  explicit SingleFlightTest(const ModelSpec& spec = test_spec()) : run_(spec, tiny_model(TinyShape::kPlain)) {
    run_.keep_logits = false;
  }
  // The shared system prompt, and something of its own.
  [[nodiscard]] GenerationTask task(RequestId id) const {
    const std::vector<int32_t> shared = test_tokens(kSystemTokens);
    return run_.task(id, joined(shared, test_tokens(kOwnTokens, 10 + static_cast<int>(id))), kGeneratedTokens, shared);
  }
  void start(GenerationTask task) { run_.engine().start(std::move(task)); }
  [[nodiscard]] uint32_t prefilled() {
    uint32_t tokens = 0;
    for (const auto& [id, outcome] : run_.outcomes) tokens += outcome.prefilled;
    return tokens;
  }

  LlamaEngineRun run_;
};

TEST_F(SingleFlightTest, PrefillsASharedPrefixOnce) {
  for (const RequestId id : {1, 2, 3}) start(task(id));
  run_.run();
  EXPECT_EQ(prefilled(), kSystemTokens + 3 * kOwnTokens);
  for (const RequestId id : {2, 3}) {
    EXPECT_EQ(run_.outcomes[id].cache->tokens, kSystemTokens);
    EXPECT_EQ(run_.outcomes[id].cache->tier, CacheTier::kResident);
    EXPECT_EQ(run_.outcomes[id].finished, FinishReason::kLength);
  }
  EXPECT_EQ(run_.outcomes[1].cache->tokens, 0u);
}

TEST_F(SingleFlightTest, AnswersAsARequestAloneWould) {
  run_.keep_logits = true;
  for (const RequestId id : {1, 2, 3}) start(task(id));
  run_.run();
  for (const RequestId id : {1, 2, 3}) {
    LlamaEngineRun alone(test_spec(), tiny_model(TinyShape::kPlain));
    EXPECT_LT(largest_difference(run_.outcomes[id], alone.run(task(id))), 1.0) << id;
  }
}

TEST_F(SingleFlightTest, PutsThePiecesThatFollowIntoOneCall) {
  for (const RequestId id : {1, 2, 3}) start(task(id));
  while (run_.outcomes[1].prefill_done < kSystemTokens) ASSERT_TRUE(run_.engine().step());
  run_.events.clear();
  ASSERT_TRUE(run_.engine().step());
  EXPECT_THAT(run_.events, testing::ElementsAre("start 2", "start 3", "prefill 2", "token 2", "prefill 3", "token 3",
                                                "prefill 1", "token 1"));
}

TEST_F(SingleFlightTest, SharesAPartOfAPrefix) {
  const std::vector<int32_t> whole = test_tokens(3 * 128 + 40);
  start(run_.task(1, whole, kGeneratedTokens));
  start(run_.task(2, joined(test_tokens(128), test_tokens(200, 7)), kGeneratedTokens));
  start(run_.task(3, joined(test_tokens(2 * 128), test_tokens(30, 8)), kGeneratedTokens));
  run_.run();
  EXPECT_EQ(run_.outcomes[2].cache->tokens, 128u);
  EXPECT_EQ(run_.outcomes[3].cache->tokens, 256u);
}

TEST_F(SingleFlightTest, GoesOnWhereTheFirstWasCancelled) {
  for (const RequestId id : {1, 2, 3}) start(task(id));
  while (run_.outcomes[1].prefill_done < 128) ASSERT_TRUE(run_.engine().step());
  run_.engine().cancel(1);
  run_.run();
  EXPECT_EQ(run_.outcomes[1].error->code, ErrorCode::kCancelled);
  EXPECT_EQ(run_.outcomes[2].cache->tokens, 128u);
  EXPECT_EQ(run_.outcomes[3].cache->tokens, kSystemTokens);
  EXPECT_EQ(prefilled(), kSystemTokens + 2 * kOwnTokens);
}

TEST_F(SingleFlightTest, FollowsNobodyOfAnotherSaltAndKeepsExactRequestsApart) {
  start(task(1));
  GenerationTask other = task(2);
  other.salt = {1, 2};
  start(std::move(other));
  GenerationTask exact = task(3);
  exact.reuse = ReusePolicy::kExact;
  start(std::move(exact));
  run_.run();
  EXPECT_EQ(run_.outcomes[2].cache->tokens, 0u);
  EXPECT_EQ(run_.outcomes[3].cache->tokens, 0u);
}

TEST_F(SingleFlightTest, HoldsNobodyUpWhoHasAnotherPrompt) {
  start(task(1));
  start(task(2));
  start(run_.task(3, test_tokens(30, 9), kGeneratedTokens));
  ASSERT_TRUE(run_.engine().step());
  EXPECT_TRUE(run_.outcomes[3].cache.has_value());
  EXPECT_FALSE(run_.outcomes[2].cache.has_value());
  run_.run();
  EXPECT_EQ(run_.outcomes[2].cache->tokens, kSystemTokens);
}

TEST_F(SingleFlightTest, SharesWithAStreamThatGeneratesAlready) {
  GenerationTask first = task(1);
  first.max_tokens = 60;
  start(std::move(first));
  run_.run_until(1, 5);
  start(task(2));
  run_.run();
  EXPECT_EQ(run_.outcomes[2].cache->tokens, kSystemTokens);
  EXPECT_EQ(run_.outcomes[1].tokens.size(), 60u);
}

// Eight prompts of 276 tokens would need 2,256 cells without sharing.
class SmallBufferTest : public SingleFlightTest {
 protected:
  static ModelSpec small_buffer() {
    ModelSpec spec = test_spec();
    spec.context_tokens = spec.kv_tokens = 512;
    spec.parallel = 8;
    return spec;
  }
  SmallBufferTest() : SingleFlightTest(small_buffer()) {}
};

TEST_F(SmallBufferTest, HoldsASharedPrefixOnce) {
  for (RequestId id = 1; id <= 8; ++id) start(task(id));
  while (run_.outcomes[8].tokens.empty()) ASSERT_TRUE(run_.engine().step());
  EXPECT_FALSE(run_.outcomes[1].finished);
  run_.run();
  for (RequestId id = 2; id <= 8; ++id) EXPECT_EQ(run_.outcomes[id].cache->tokens, kSystemTokens);
}

class NoAutomaticReuseTest : public SingleFlightTest {
 protected:
  static ModelSpec without_reuse() {
    ModelSpec spec = test_spec();
    spec.automatic_reuse = false;
    return spec;
  }
  NoAutomaticReuseTest() : SingleFlightTest(without_reuse()) {}
};

TEST_F(NoAutomaticReuseTest, SharesNothingThatNobodyAskedFor) {
  start(task(1));
  start(task(2));
  run_.run();
  EXPECT_EQ(prefilled(), 2 * (kSystemTokens + kOwnTokens));
}

}  // namespace
}  // namespace rockllama
