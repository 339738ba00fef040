// Embeddings of the engine over the test model.
#include "engines/llama_cpp/embedder.h"

#include <gmock/gmock.h>

#include <numeric>

#include "tests/support/llama_engine_run.h"

namespace rockllama {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

// Other texts beside an input, or other blocks of it, change the order of sums in the kernels.
constexpr double kNearlyOne = 0.999;

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

ModelSpec embedding_spec(const std::string& pooling = "auto", bool normalize = true) {
  ModelSpec spec = test_spec();
  spec.embedding = {.pooling = pooling, .normalize = normalize};
  return spec;
}

std::vector<std::vector<float>> embed(LlamaEngineRun& run, std::vector<std::vector<int32_t>> inputs) {
  static RequestId id = 500;
  run.engine().embed({++id, std::move(inputs)});
  run.run();
  EXPECT_TRUE(run.outcomes[id].embedded) << run.outcomes[id].error.value_or(Error{}).message;
  return run.outcomes[id].embedded.value_or(Embeddings{}).vectors;
}

TEST(LlamaEmbeddings, AreOfLengthOneAndCountTheirTokens) {
  LlamaEngineRun run(embedding_spec());
  run.engine().embed({1, {test_tokens(20), test_tokens(7, 1)}});
  run.run();
  const Embeddings& made = *run.outcomes[1].embedded;
  EXPECT_EQ(made.prompt_tokens, 27u);
  ASSERT_THAT(made.vectors, SizeIs(2));
  for (const auto& vector : made.vectors) {
    EXPECT_THAT(vector, SizeIs(static_cast<size_t>(llama_model_n_embd_out(test_model().get()))));
    EXPECT_NEAR(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0), 1.0, 1e-5);
  }
}

TEST(LlamaEmbeddings, OfABatchAreThoseOfEachInputAlone) {
  LlamaEngineRun run(embedding_spec());
  // In one call, in several, and one of more blocks than one.
  const std::vector<std::vector<int32_t>> inputs{test_tokens(9),    test_tokens(30, 1), test_tokens(150, 2),
                                                 test_tokens(3, 3), test_tokens(60, 4), test_tokens(1, 5)};
  const auto together = embed(run, inputs);
  ASSERT_THAT(together, SizeIs(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_GT(cosine(together[i], embed(run, {inputs[i]}).front()), kNearlyOne) << i;
  }
  EXPECT_LT(cosine(together[0], together[5]), kNearlyOne);
}

TEST(LlamaEmbeddings, PoolAsTheSettingsSay) {
  const std::vector<int32_t> tokens = test_tokens(40);
  LlamaEngineRun first(embedding_spec("cls"));
  LlamaEngineRun last(embedding_spec("last"));
  const std::vector<int32_t> beginning(tokens.begin(), tokens.begin() + 5);
  EXPECT_GT(cosine(embed(first, {tokens}).front(), embed(first, {beginning}).front()), kNearlyOne);
  EXPECT_LT(cosine(embed(last, {tokens}).front(), embed(last, {beginning}).front()), kNearlyOne);
  LlamaEngineRun plain(embedding_spec("mean", false));
  const auto vector = embed(plain, {tokens}).front();
  EXPECT_GT(std::abs(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0) - 1.0), 1e-3);
}

TEST(LlamaEmbeddings, GoOnBesideAGeneration) {
  LlamaEngineRun run(embedding_spec());
  run.engine().start(run.task(1, test_tokens(200), 5));
  run.engine().embed({2, {test_tokens(150, 1)}});
  run.run();
  EXPECT_EQ(run.outcomes[1].finished, FinishReason::kLength);
  EXPECT_TRUE(run.outcomes[2].embedded);
  EXPECT_THAT(run.events, Contains("prefill 2"));
  LlamaEngineRun alone(embedding_spec());
  EXPECT_EQ(run.outcomes[1].tokens, alone.run(alone.task(1, test_tokens(200), 5)).tokens);
}

TEST(LlamaEmbeddings, EndWhenTheyAreCancelled) {
  LlamaEngineRun run(embedding_spec());
  run.engine().embed({1, {test_tokens(300)}});
  run.engine().embed({2, {test_tokens(5)}});
  ASSERT_TRUE(run.engine().step());
  run.engine().cancel(1);
  run.run();
  EXPECT_EQ(run.outcomes[1].error->code, ErrorCode::kCancelled);
  EXPECT_FALSE(run.outcomes[1].embedded);
  EXPECT_TRUE(run.outcomes[2].embedded);
  EXPECT_FALSE(run.engine().step());
}

}  // namespace
}  // namespace rockllama
