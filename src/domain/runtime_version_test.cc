#include "domain/runtime_version.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(VersionString, IsReadBehindTheMarkOfTheSdk) {
  EXPECT_THAT(versions_in("\x7f"
                          "ELF..RKLLM SDK (version: 1.2.3 (gitabc@2025-11-24))"),
              ElementsAre("1.2.3"));
}

TEST(VersionString, IsReadBehindTheMarkOfTheRuntime) {
  EXPECT_THAT(versions_in("rkllm-runtime version: 1.1.4, rknpu driver version: 0.9.8, platform: RK3588"),
              ElementsAre("1.1.4"));
}

TEST(VersionString, KeepsTheLettersOfABeta) {
  EXPECT_THAT(versions_in("RKLLM SDK (version: 1.2.1b1 (c0ffee))"), ElementsAre("1.2.1b1"));
}

TEST(VersionString, IsNoneInAFormatString) {
  EXPECT_THAT(versions_in("rkllm-runtime version: %s, rknpu driver version: %s"), IsEmpty());
}

TEST(VersionString, SeesEveryVersionThatStandsThere) {
  const std::string bytes = std::string("RKLLM SDK (version: 1.2.1)") + '\0' + "rkllm-runtime version: 1.3.0\n";
  EXPECT_THAT(versions_in(bytes), ElementsAre("1.2.1", "1.3.0"));
}

TEST(VersionString, EndsWithTheBytesAtAnyLength) {
  const std::string whole = "RKLLM SDK (version: 1.3.0";
  for (size_t length = 0; length <= whole.size(); ++length) {
    const auto found = versions_in(whole.substr(0, length));
    EXPECT_LE(found.size(), 1u);
    for (const std::string& version : found) EXPECT_TRUE(std::string("1.3.0").starts_with(version)) << version;
  }
  EXPECT_THAT(versions_in(whole), ElementsAre("1.3.0"));
}

TEST(VersionString, DoesNotEndWithADot) {
  EXPECT_THAT(versions_in("rkllm-runtime version: 1.2.0."), ElementsAre("1.2.0"));
  EXPECT_THAT(versions_in("rkllm-runtime version: ...."), IsEmpty());
}

}  // namespace
}  // namespace rockllama
