#include "service/state_name.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(StateName, IsReadFromAStateId) {
  EXPECT_EQ(parse_state_id("smol/system/chat/3-ab"), (StateName{"smol", "system", StateFormat::kChat}));
  EXPECT_EQ(parse_state_id("m/c/raw/1"), (StateName{"m", "c", StateFormat::kRaw}));
}

TEST(StateName, IsNothingForOtherText) {
  for (const char* id : {"", "m", "m/c", "m/c/chat", "m/c/chat/", "m/c/text/1", "//chat/1"}) {
    EXPECT_EQ(parse_state_id(id), std::nullopt) << id;
  }
}

}  // namespace
}  // namespace rockllama
