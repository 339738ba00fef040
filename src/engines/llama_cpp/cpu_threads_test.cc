#include "engines/llama_cpp/cpu_threads.h"

#include <gtest/gtest.h>

#include <vector>

namespace rockllama {
namespace {

TEST(PerformanceCores, AreTheFourBigOnesOfAnRk3588) {
  EXPECT_EQ(count_performance_cores(std::vector<uint64_t>{530, 530, 530, 530, 1024, 1024, 1010, 1010}), 4u);
  EXPECT_EQ(count_performance_cores(
                std::vector<uint64_t>{1800000, 1800000, 1800000, 1800000, 2400000, 2400000, 2304000, 2304000}),
            4u);
}

TEST(PerformanceCores, AreAllWhereAllAreEqual) {
  EXPECT_EQ(count_performance_cores(std::vector<uint64_t>{1024, 1024}), 2u);
}

TEST(PerformanceCores, AreAtLeastOneOnThisMachine) { EXPECT_GE(performance_cores(), 1u); }

}  // namespace
}  // namespace rockllama
