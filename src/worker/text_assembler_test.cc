#include "worker/text_assembler.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

struct Seen {
  std::string text;
  bool stopped = false;
};

// Pushes the pieces until a stop; every text on the way must be whole characters.
Seen assemble(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  TextAssembler assembler(stops);
  Seen seen;
  for (const std::string& piece : pieces) {
    const TextAssembler::Output output = assembler.push(piece);
    seen.text += output.text;
    seen.stopped = output.stopped;
    if (seen.stopped) break;
  }
  seen.text += assembler.finish();
  return seen;
}

std::vector<std::string> single_bytes(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char byte : text) pieces.emplace_back(1, byte);
  return pieces;
}

TEST(TextAssembler, PassesPlainTextOnAtOnce) {
  TextAssembler assembler({"END"});
  EXPECT_EQ(assembler.push("Hello ").text, "Hello ");
  EXPECT_EQ(assembler.push("there").text, "there");
  EXPECT_EQ(assembler.finish(), "");
}

TEST(TextAssembler, HoldsBackACharacterUntilItIsWhole) {
  const std::string emoji = "\xf0\x9f\x99\x82";
  for (size_t cut = 1; cut < emoji.size(); ++cut) {
    TextAssembler assembler({});
    EXPECT_EQ(assembler.push("a" + emoji.substr(0, cut)).text, "a");
    EXPECT_EQ(assembler.push(emoji.substr(cut) + "b").text, emoji + "b");
  }
  EXPECT_EQ(assemble({}, single_bytes("x\xc3\xa9\xe4\xbd\xa0" + emoji)).text, "x\xc3\xa9\xe4\xbd\xa0" + emoji);
}

TEST(TextAssembler, ReplacesBytesThatAreNoCharacter) {
  EXPECT_EQ(assemble({}, {"a\xff", "b"}).text, std::string("a") + kReplacement + "b");
  EXPECT_EQ(assemble({}, {"\xe4\xbd", "b"}).text, std::string(kReplacement) + "b");
  EXPECT_EQ(assemble({}, {"\xc0\xaf"}).text, std::string(kReplacement) + kReplacement);
  EXPECT_EQ(assemble({}, {"\xed\xa0\x80"}).text, std::string(kReplacement) + kReplacement + kReplacement);
}

TEST(TextAssembler, ReplacesACharacterThatNeverEnds) {
  EXPECT_EQ(assemble({}, {"a\xf0\x9f"}).text, std::string("a") + kReplacement);
}

TEST(TextAssembler, NeverShowsAPartOfAStopStringWhereverItIsCut) {
  const std::string stop = "\n\nHuman\xc3\xa9:";
  for (size_t cut = 0; cut <= stop.size(); ++cut) {
    TextAssembler assembler({stop});
    const auto first = assembler.push("Yes." + stop.substr(0, cut));
    EXPECT_EQ(first.text, "Yes.") << cut;
    if (first.stopped) continue;
    const auto second = assembler.push(stop.substr(cut) + "tail");
    EXPECT_EQ(second.text, "");
    EXPECT_TRUE(second.stopped);
    EXPECT_EQ(assembler.finish(), "");
  }
  const Seen bytewise = assemble({stop}, single_bytes("Yes." + stop + "tail"));
  EXPECT_EQ(bytewise.text, "Yes.");
  EXPECT_TRUE(bytewise.stopped);
}

TEST(TextAssembler, ReleasesWhatDidNotBecomeAStopString) {
  const Seen seen = assemble({"STOP"}, {"a ST", "O", "RE b STO"});
  EXPECT_EQ(seen.text, "a STORE b STO");
  EXPECT_FALSE(seen.stopped);
}

TEST(TextAssembler, FindsAStopStringThatBeginsInsideAFailedOne) {
  for (const auto& pieces : {single_bytes("aabx"), {"aabx"}, {"a", "abx"}, {"aa", "bx"}}) {
    const Seen seen = assemble({"ab"}, pieces);
    EXPECT_EQ(seen.text, "a");
    EXPECT_TRUE(seen.stopped);
  }
}

TEST(TextAssembler, CutsAtTheStopStringThatIsCompleteFirst) {
  for (const auto& pieces : {single_bytes("xabcy"), {"xabcy"}, {"xa", "bcy"}, {"xab", "cy"}}) {
    EXPECT_EQ(assemble({"abc", "b"}, pieces).text, "xa");
    EXPECT_EQ(assemble({"bc", "abc"}, pieces).text, "x");
    EXPECT_EQ(assemble({"abcd", "c"}, pieces).text, "xab");
  }
}

TEST(TextAssembler, FindsAStopStringOfOneCharacterInsideMultiByteText) {
  const Seen seen = assemble({"\xe4\xbd\xa0"}, single_bytes("\xe4\xbd\xa1\xe4\xbd\xa0\xe4"));
  EXPECT_EQ(seen.text, "\xe4\xbd\xa1");
  EXPECT_TRUE(seen.stopped);
}

TEST(TextAssembler, IgnoresAnEmptyStopString) {
  const Seen seen = assemble({""}, {"text"});
  EXPECT_EQ(seen.text, "text");
  EXPECT_FALSE(seen.stopped);
}

}  // namespace
}  // namespace rockllama
