#include "domain/runtime_report.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(RuntimeReport, ReadsTheTwoLinesThatARuntimeBeginsWith) {
  RuntimeReport report;
  read_runtime_line("I rkllm: rkllm-runtime version: 1.2.1b1, rknpu driver version: 0.9.8, platform: RK3588", &report);
  read_runtime_line(
      "I rkllm: rkllm-toolkit version: 1.2.0, max_context_limit: 4096, npu_core_num: 3, target_platform: RK3576",
      &report);
  EXPECT_EQ(report, (RuntimeReport{"1.2.1b1", "0.9.8", "RK3588", "1.2.0", 4096}));
}

TEST(RuntimeReport, KeepsWhatItKnowsWhenOtherLinesCome) {
  RuntimeReport report{.version = "1.3.0", .context_limit = 4096};
  const RuntimeReport before = report;
  for (const char* line : {"", "hello", "rkllm-runtime version", "rkllm-runtime version: ", "max_context_limit: many",
                           "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]"}) {
    read_runtime_line(line, &report);
    EXPECT_EQ(report, before) << line;
  }
}

TEST(RuntimeReport, KnowsAnErrorLine) {
  EXPECT_TRUE(is_runtime_error("E rkllm: failed to malloc npu memory"));
  EXPECT_FALSE(is_runtime_error("I rkllm: loading"));
}

}  // namespace
}  // namespace rockllama
