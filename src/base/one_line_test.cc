#include "base/one_line.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(OneLine, HasNoControlCharacters) {
  EXPECT_EQ(one_line("a\r\nb\tc\x7f" + std::string(1, '\0') + "\xc3\xa4"), "a??b?c??\xc3\xa4");
  EXPECT_EQ(one_line(""), "");
}

}  // namespace
}  // namespace rockllama
