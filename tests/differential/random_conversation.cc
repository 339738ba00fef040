#include "tests/differential/random_conversation.h"

#include <array>
#include <string_view>

namespace rockllama::test {
namespace {

using Words = std::array<std::string_view, 8>;

constexpr Words kEnglish = {"the harbour", "opens", "early", "and", "nobody", "counts", "old boats", "twice"};
constexpr Words kChinese = {"\xe6\xb8\xaf\xe5\x8f\xa3",
                            "\xe6\x97\xa9\xe4\xb8\x8a",
                            "\xe5\xbc\x80\xe9\x97\xa8",
                            "\xef\xbc\x8c",
                            "\xe8\x80\x81\xe8\x88\xb9",
                            "\xe6\xb2\xa1\xe6\x9c\x89",
                            "\xe4\xba\xba",
                            "\xe3\x80\x82"};
constexpr Words kMixed = {"\xc3\xbc\x62\x65r",
                          "na\xc3\xafve",
                          "\xd0\xb1\xd0\xb5\xd1\x80\xd0\xb5\xd0\xb3",
                          "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7",
                          "\xe3\x81\x93\xe3\x82\x93",
                          "caf\xc3\xa9",
                          "\xce\xbb\xcf\x8c\xce\xb3\xce\xbf\xcf\x82",
                          "z\xcc\x81"};
constexpr Words kCode = {
    "int main() {", "return 0;",           "}\n",    "for (auto& x : xs)", "\tprintf(\"%d\\n\", x);",
    "// none",      "#include <vector>\n", "x += 1;"};
constexpr Words kEmoji = {"\xf0\x9f\x98\x80",
                          "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
                          "\xe2\x9d\xa4\xef\xb8\x8f",
                          "ok",
                          "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
                          "\xf0\x9f\x8e\x89",
                          "!",
                          "\xf0\x9f\x8c\x8a"};
constexpr std::array<const Words*, 5> kVocabularies = {&kEnglish, &kChinese, &kMixed, &kCode, &kEmoji};

constexpr uint32_t kWordsPerSentence = 9;
constexpr uint32_t kTokensPerSentence = 24;  // about, over all kinds
constexpr uint32_t kKinds = 8;
constexpr std::array<const char*, kKinds> kKindNames = {
    "short text", "text", "long text", "messages", "tools", "text and child", "one character", "full context"};

ChatTool clock_tool() {
  return {"clock", "Tells the time of a place.",
          R"({"type":"object","properties":{"place":{"type":"string"}},"required":["place"]})"};
}

}  // namespace

std::string ConversationMaker::sentence() {
  const Words& words = *kVocabularies[pick(kVocabularies.size())];
  std::string result;
  for (uint32_t i = 0; i < kWordsPerSentence; ++i) {
    if (i != 0) result += ' ';
    result += words[pick(words.size())];
  }
  return result + ". ";
}

std::string ConversationMaker::text(uint32_t sentences) {
  std::string result;
  for (uint32_t i = 0; i < sentences; ++i) result += sentence();
  return result;
}

CacheLine ConversationMaker::line(uint32_t kind, uint32_t context_tokens) {
  switch (kind) {
    case 0:
      return {{.text = sentence()}};
    case 1:
      return {{.text = text(4 + pick(4))}};
    case 2:
      return {{.text = text(10 + pick(5))}};
    case 3:
      return {{.messages = {{"system", text(4)}, {"user", sentence()}, {"assistant", sentence()}}}};
    case 4:
      return {{.messages = {{"system", text(5)}}, .tools = {clock_tool()}}};
    case 5:
      return {{.text = text(6)}, {.text = text(3)}};
    case 6:
      return {{.text = "a"}};
    default:
      return {{.text = text(context_tokens / kTokensPerSentence * 3 / 2)}};
  }
}

Conversation ConversationMaker::next(uint32_t context_tokens) {
  const uint32_t kind = next_kind_++ % kKinds;
  Conversation conversation{.kind = kKindNames[kind], .line = line(kind, context_tokens)};
  const uint32_t turns = 2 + pick(2);
  for (uint32_t i = 0; i < turns; ++i) conversation.questions.push_back(pick(6) == 0 ? "?" : sentence());
  return conversation;
}

}  // namespace rockllama::test
