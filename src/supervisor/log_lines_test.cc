#include "supervisor/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LogLines, GivesTheSameLinesHoweverTheBytesAreCut) {
  const std::string stream = "one\ntwo\r\n\nthree";
  for (size_t size = 1; size <= stream.size(); ++size) {
    LogLines lines;
    for (size_t at = 0; at < stream.size(); at += size) (void)lines.add(stream.substr(at, size));
    (void)lines.end();
    EXPECT_THAT(lines.recent(), ElementsAre("one", "two", "three")) << size;
  }
}

TEST(LogLines, GivesEachLineOnceWhenItIsComplete) {
  LogLines lines;
  EXPECT_THAT(lines.add("a"), IsEmpty());
  EXPECT_THAT(lines.add("b\nc\nd"), ElementsAre("ab", "c"));
  EXPECT_THAT(lines.end(), ElementsAre("d"));
  EXPECT_THAT(lines.end(), IsEmpty());
}

TEST(LogLines, KeepsTheLastLinesAndTheBeginningOfALongOne) {
  LogLines lines(2, 4);
  (void)lines.add("1\n2\nabcdefgh");
  (void)lines.add("ijkl\nx");
  EXPECT_THAT(lines.recent(), ElementsAre("2", "abcd"));
  (void)lines.add("y\n");
  EXPECT_THAT(lines.recent(), ElementsAre("abcd", "xy"));
}

TEST(LogLines, LetsNoControlCharacterThrough) {
  LogLines lines;
  EXPECT_THAT(lines.add("a\x1b[2Jb\tc\n"), ElementsAre("a?[2Jb?c"));
}

}  // namespace
}  // namespace rockllama
