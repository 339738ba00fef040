#include "api/cache_stats_json.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

constexpr uint64_t kMib = 1048576;

TEST(CacheStatsJson, ShowsBudgetUseAndFigures) {
  CacheStats stats;
  stats.use.limits = {.max_total_bytes = 10 * kMib, .keep_free_bytes = kMib, .automatic_bytes = 2 * kMib};
  stats.use.total_bytes = 3 * kMib;
  stats.use.model_bytes = {{"m", 3 * kMib}};
  stats.use.entries = 4;
  stats.use.automatic_bytes_written_today = kMib / 2;
  stats.models["m"] = {{.prefill_tokens_per_s = 100, .restore_bytes_per_s = 50.0 * kMib, .memory_prefixes = 2}, 7};
  const OrderedJson json = cache_stats_json(stats);
  EXPECT_EQ(json["budget"]["total_mb"], 10);
  EXPECT_EQ(json["budget"]["model_mb"], nullptr);
  EXPECT_EQ(json["budget"]["automatic_mb"], 2);
  EXPECT_EQ(json["use"]["models_mb"]["m"], 3);
  EXPECT_EQ(json["use"]["entries"], 4);
  EXPECT_EQ(json["use"]["automatic_written_today_mb"], 0.5);
  EXPECT_EQ(json["models"]["m"]["restore_mb_per_second"], 50);
  EXPECT_EQ(json["models"]["m"]["break_even_tokens"], 7);
  EXPECT_EQ(json["models"]["m"]["memory_prefixes"], 2);
}

TEST(CacheStatsJson, SaysNothingOfWhatWasNotMeasured) {
  CacheStats stats;
  stats.models["m"] = {};
  const OrderedJson json = cache_stats_json(stats);
  for (const char* figure : {"prefill_tokens_per_second", "restore_mb_per_second", "break_even_tokens"}) {
    EXPECT_EQ(json["models"]["m"][figure], nullptr) << figure;
  }
}

}  // namespace
}  // namespace rockllama::api
