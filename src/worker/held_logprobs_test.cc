#include "worker/held_logprobs.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TokenLogprobs token_named(const std::string& piece) { return {{piece, -1}}; }

TEST(HeldLogprobs, TellsATokenWithTheTextThatItCompletes) {
  HeldLogprobs held;
  held.hold(token_named("a"), 1);
  EXPECT_EQ(held.release(1), std::vector{token_named("a")});
  held.hold(token_named("\xc3"), 1);
  EXPECT_TRUE(held.release(0).empty());
  held.hold(token_named("\xa9"), 1);
  EXPECT_EQ(held.release(2), (std::vector{token_named("\xc3"), token_named("\xa9")}));
}

TEST(HeldLogprobs, NeverTellsWhatAStopStringSwallowed) {
  HeldLogprobs held;
  held.hold(token_named("a ST"), 4);
  held.hold(token_named("OP"), 2);
  EXPECT_TRUE(held.release(2).empty());
}

TEST(HeldLogprobs, TellsATokenWithoutTextAtOnce) {
  HeldLogprobs held;
  held.hold(token_named("<mark>"), 0);
  EXPECT_EQ(held.release(0), std::vector{token_named("<mark>")});
}

}  // namespace
}  // namespace rockllama
