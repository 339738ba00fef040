// Sampling, seen through the engine: what each parameter does to the answer.
#include "engines/llama_cpp/sampler.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/llama_engine_run.h"

namespace rockllama {
namespace {

class Sampling : public ::testing::Test {
 protected:
  LlamaEngineRun::Outcome answer(const SamplingParams& sampling, uint32_t max_tokens = 24) {
    GenerationTask task = run_.task(++id_, test_tokens(40), max_tokens);
    task.sampling = sampling;
    return run_.run(std::move(task));
  }

  LlamaEngineRun run_;
  RequestId id_ = 0;
};

TEST_F(Sampling, OfOneSeedIsOneAnswer) {
  const SamplingParams sampling{.temperature = 1.5F, .seed = 42};
  EXPECT_EQ(answer(sampling).tokens, answer(sampling).tokens);
}

TEST_F(Sampling, OfTheLargestSeedIsOneAnswerToo) {
  const SamplingParams sampling{.temperature = 1.5F, .seed = 0xFFFFFFFF};
  EXPECT_EQ(answer(sampling).tokens, answer(sampling).tokens);
}

TEST_F(Sampling, OfOtherSeedsIsAnotherAnswer) {
  std::set<std::vector<int32_t>> answers;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    answers.insert(answer({.temperature = 1.5F, .top_k = 0, .min_p = 0.0F, .seed = seed}).tokens);
  }
  EXPECT_GT(answers.size(), 1u);
}

TEST_F(Sampling, WithoutASeedIsRandom) {
  std::set<std::vector<int32_t>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.insert(answer({.temperature = 2.0F, .top_p = 1.0F, .top_k = 0, .min_p = 0.0F}).tokens);
  }
  EXPECT_GT(answers.size(), 1u);
}

TEST_F(Sampling, FromTheBestTokenAloneIsGreedy) {
  EXPECT_EQ(answer({.temperature = 2.0F, .top_k = 1}).tokens, answer({.temperature = 0.0F}).tokens);
}

TEST_F(Sampling, TakesTheTokenThatABiasForces) {
  for (const int32_t mirostat : {0, 1, 2}) {
    const auto outcome =
        answer({.mirostat = mirostat, .logit_bias = {{1234, 500.0F}, {-5, 500.0F}, {1 << 30, 500.0F}}}, 3);
    EXPECT_EQ(outcome.tokens, (std::vector<int32_t>{1234, 1234, 1234})) << mirostat;
  }
}

TEST_F(Sampling, ByMirostatMakesText) {
  for (const int32_t mirostat : {1, 2}) {
    const SamplingParams sampling{.mirostat = mirostat, .seed = 7};
    const auto outcome = answer(sampling);
    EXPECT_NE(outcome.text, "");
    EXPECT_EQ(outcome.tokens, answer(sampling).tokens);
  }
}

TEST_F(Sampling, PenalizesRepetitionAlsoWithMirostat) {
  // A bias makes one token certain; a penalty that outweighs it must lift the next over it.
  for (const int32_t mirostat : {0, 1, 2}) {
    SamplingParams sampling{.mirostat = mirostat, .seed = 1, .logit_bias = {{1234, 60.0F}}};
    EXPECT_EQ(answer(sampling, 2).tokens, (std::vector<int32_t>{1234, 1234})) << mirostat;
    sampling.presence_penalty = 100.0F;
    const auto tokens = answer(sampling, 2).tokens;
    EXPECT_EQ(tokens.front(), 1234) << mirostat;
    EXPECT_NE(tokens.back(), 1234) << mirostat;
  }
}

TEST_F(Sampling, PenalizesTokensOfThePrompt) {
  GenerationTask task = run_.task(++id_, joined(test_tokens(10), {1234}), 1);
  task.sampling = {.temperature = 0.0F, .presence_penalty = 100.0F, .logit_bias = {{1234, 60.0F}}};
  EXPECT_NE(run_.run(std::move(task)).tokens.front(), 1234);
}

TEST_F(Sampling, TakesTheDefaultsOfTheSpec) {
  ModelSpec spec = test_spec();
  spec.sampling_defaults.logit_bias = {{1234, 500.0F}};
  LlamaEngineRun run(spec);
  EXPECT_EQ(run.run(run.task(1, test_tokens(10), 2)).tokens, (std::vector<int32_t>{1234, 1234}));
}

class Grammars : public Sampling {
 protected:
  LlamaEngineRun::Outcome answer_by(AnswerGrammar grammar, float temperature = 2) {
    GenerationTask task = run_.task(++id_, test_tokens(40), 24);
    task.sampling = {.temperature = temperature, .top_k = 0, .min_p = 0.0F};
    task.grammar = std::move(grammar);
    return run_.run(std::move(task));
  }
};

TEST_F(Grammars, HoldAnAnswerWhateverTheModelWouldSay) {
  const auto outcome = answer_by({.rules = R"(root ::= "perhaps" | "never")"});
  EXPECT_THAT(outcome.text, ::testing::AnyOf("perhaps", "never"));
  EXPECT_EQ(outcome.finished, FinishReason::kStop);
}

TEST_F(Grammars, BeginWithTheEndOfThePrompt) {
  const auto outcome = answer_by({.rules = R"(root ::= "I say: " "never")", .begun = "I say: "});
  EXPECT_EQ(outcome.text, "never");
}

TEST_F(Grammars, OfALazyKindWaitForTheirWord) {
  const auto free = answer({.temperature = 0.0F});
  EXPECT_EQ(answer_by({.rules = R"(root ::= "x")", .lazy = true, .triggers = {{"<never.said>"}}}, 0).tokens,
            free.tokens);
  // The word that the answer has in its midst.
  const std::string word = free.text.substr(free.text.size() / 2, 4);
  const auto held = answer_by({.rules = "root ::= \"" + word + "\" \"!\"", .lazy = true, .triggers = {{word}}}, 0);
  EXPECT_THAT(held.text, ::testing::EndsWith(word + "!"));
  EXPECT_EQ(held.finished, FinishReason::kStop);
}

TEST_F(Grammars, ThatAreNoneRefuseTheRequestAndHarmNoOther) {
  const auto outcome = answer_by({.rules = "root ::= nothing"});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(answer({}).tokens.empty());
}

}  // namespace
}  // namespace rockllama
