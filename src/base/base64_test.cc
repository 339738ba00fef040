#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace rockllama {
namespace {

TEST(Base64, GivesTheExamplesOfItsStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, TakesBytesOfAllKinds) { EXPECT_EQ(base64(std::string("\0\xff\xfb", 3)), "AP/7"); }

}  // namespace
}  // namespace rockllama
