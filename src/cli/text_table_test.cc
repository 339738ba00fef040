#include "cli/text_table.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

TEST(TextTable, AlignsColumnsByCharacters) {
  EXPECT_EQ(text_table({{"NAME"}, {"SIZE", true}, {"NOTE"}}, {{"a", "1.00 MB", "x"}, {"größe", "10.00 MB", ""}}),
            "NAME       SIZE  NOTE\n"
            "a       1.00 MB  x\n"
            "größe  10.00 MB\n");
}

TEST(TextTable, LetsNoNameSteerTheTerminal) { EXPECT_EQ(text_table({{"NAME"}}, {{"a\033[2Jb\n"}}), "NAME\na?[2Jb?\n"); }

TEST(TextTable, PutsPairsUnderEachOther) {
  EXPECT_EQ(text_list({{"name", "a"}, {"characters", "3"}}), "name        a\ncharacters  3\n");
}

TEST(TextTable, SaysDurationsInOneUnit) {
  EXPECT_EQ(duration_text(59), "now");
  EXPECT_EQ(duration_text(60), "1 min");
  EXPECT_EQ(duration_text(3599), "59 min");
  EXPECT_EQ(duration_text(7200), "2 h");
  EXPECT_EQ(duration_text(86400.0 * 5), "5 d");
}

TEST(TextTable, ShowsProgressWithinTheTerminal) {
  EXPECT_EQ(progress_text("coding", 1, 2, 120), "[###############...............]  50 %  coding");
  EXPECT_EQ(progress_text("coding", 2, 2, 40), "100 %  coding");
  EXPECT_EQ(progress_text("coding", 5, 0, 80), "coding");
  EXPECT_EQ(progress_text(std::string(200, 'x'), 1, 2, 20).size(), 19u);
}

}  // namespace
}  // namespace rockllama
