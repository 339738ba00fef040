#include "engines/llama_cpp/engine_settings.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

constexpr ModelShape kSmall{.trained_tokens = 8192, .kv_bytes_per_token = 23040};

TEST(EngineSettings, TakeTheSmallerOfTheModelsContextAnd8192) {
  EXPECT_EQ(settle({}, kSmall, 2, 2).context_tokens, 8192u);
  EXPECT_EQ(settle({}, {.trained_tokens = 2048, .kv_bytes_per_token = 1}, 2, 2).context_tokens, 2048u);
  EXPECT_EQ(settle({}, {.trained_tokens = 131072, .kv_bytes_per_token = 1}, 2, 2).context_tokens, 8192u);
}

TEST(EngineSettings, MakeTheBufferOfADefaultSizeByMemory) {
  EXPECT_EQ(settle({}, {.trained_tokens = 1024, .kv_bytes_per_token = 1}, 2, 2).kv_cells, 8192u);
  EXPECT_EQ(settle({}, kSmall, 2, 2).kv_cells, 17664u);
  EXPECT_EQ(settle({}, {.trained_tokens = 8192, .kv_bytes_per_token = 1 << 20}, 2, 2).kv_cells, 8192u);
}

TEST(EngineSettings, LowerTheContextToTheBuffer) {
  const ModelSpec spec{.context_tokens = 4096, .kv_tokens = 1000};
  EXPECT_EQ(settle(spec, kSmall, 2, 2).kv_cells, 1024u);
  EXPECT_EQ(settle(spec, kSmall, 2, 2).context_tokens, 1024u);
}

TEST(EngineSettings, TakeThreadsFromTheSpecElseThePerformanceCores) {
  EXPECT_EQ(settle({}, kSmall, 4, 2).threads, 4u);
  EXPECT_EQ(settle({.threads = 3}, kSmall, 4, 2).threads, 3u);
}

}  // namespace
}  // namespace rockllama
