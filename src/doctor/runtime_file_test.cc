#include "doctor/runtime_file.h"

#include <gtest/gtest.h>

namespace rockllama::doctor {
namespace {

TEST(RuntimeVersion, IsReadFromEitherMark) {
  EXPECT_EQ(runtime_version_in("RKLLM SDK (version: 1.2.1b1 (0a1b2c))"), "1.2.1b1");
  EXPECT_EQ(runtime_version_in("I rkllm: rkllm-runtime version: 1.1.4, rknpu driver"), "1.1.4");
}

TEST(RuntimeVersion, IsNotAFormatString) {
  EXPECT_EQ(runtime_version_in("rkllm-runtime version: %s, rknpu driver version: %s"), "");
  EXPECT_EQ(runtime_version_in("rkllm-runtime version: %s RKLLM SDK (version: 1.3.0)"), "1.3.0");
  EXPECT_EQ(runtime_version_in(""), "");
}

}  // namespace
}  // namespace rockllama::doctor
