#include "chat/border.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace rockllama {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

ChatTemplate template_named(const std::string& name) {
  const std::ifstream file(std::string(ROCKLLAMA_VOCABULARIES) + "/templates/" + name + ".jinja");
  std::stringstream source;
  source << file.rdbuf();
  return ChatTemplate::create(nullptr, source.str()).value();
}

bool joins(char left, char right) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return (is_word(left) && is_word(right)) || (left == '\n' && right == '\n') || (left == ' ' && is_word(right));
}

// A token is a run of characters that join as those of a real vocabulary do: words with the space before them, and
// line ends. It remembers the pieces, so that a border can be read as text.
class FakeTokenizer {
 public:
  Tokenize tokenize() {
    return [this](std::string_view text) -> Result<std::vector<int32_t>> {
      std::vector<int32_t> tokens;
      for (size_t from = 0; from < text.size();) {
        size_t to = from + 1;
        while (to < text.size() && joins(text[to - 1], text[to])) ++to;
        tokens.push_back(id(std::string(text.substr(from, to - from))));
        from = to;
      }
      return tokens;
    };
  }
  std::string text(const std::vector<int32_t>& tokens) const {
    std::string result;
    for (const int32_t token : tokens) result += pieces_[static_cast<size_t>(token)];
    return result;
  }

 private:
  int32_t id(const std::string& piece) {
    const auto known = std::find(pieces_.begin(), pieces_.end(), piece);
    const auto index = known - pieces_.begin();
    if (known == pieces_.end()) pieces_.push_back(piece);
    return static_cast<int32_t>(index);
  }

  std::vector<std::string> pieces_;
};

class ChatBorder : public ::testing::Test {
 protected:
  std::string border_of(const std::string& template_name, const std::string& text) {
    return border_of(template_name, CacheLine{{.text = text}});
  }
  std::string border_of(const std::string& template_name, const CacheLine& line) {
    const auto border = chat_border(template_named(template_name), tokenizer_.tokenize(), line);
    EXPECT_TRUE(border);
    note_ = border->note;
    return tokenizer_.text(border->tokens);
  }

  FakeTokenizer tokenizer_;
  std::string note_;
};

TEST_F(ChatBorder, EndsBeforeTheRoleOfTheNextMessageInChatml) {
  EXPECT_EQ(border_of("Qwen-Qwen2.5-7B-Instruct", "Be brief."),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>");
  EXPECT_THAT(note_, IsEmpty());
}

TEST_F(ChatBorder, HoldsTheHeaderAndNamesTheDateInLlama3) {
  EXPECT_THAT(border_of("meta-llama-Llama-3.1-8B-Instruct", "Be brief."), HasSubstr("Be brief.<|eot_id|>"));
  EXPECT_THAT(note_, HasSubstr("date"));
}

TEST_F(ChatBorder, LiesInsideTheFirstUserTurnInGemma) {
  const std::string border = border_of("google-gemma-2-2b-it", "Be brief.");
  EXPECT_EQ(border, "<start_of_turn>user\nBe brief.");
}

TEST_F(ChatBorder, LiesInsideTheFirstUserTurnInMistral) {
  EXPECT_THAT(border_of("mistralai-Mistral-Nemo-Instruct-2407", "Be brief."), StartsWith("[INST]Be brief."));
}

const ChatMessage kQuestion = {"user", "Two and two?"};
const ChatMessage kAnswer = {"assistant", "Four."};

TEST_F(ChatBorder, EndsBehindAnAnswerWhereTheNextRoleBegins) {
  EXPECT_EQ(border_of("Qwen-Qwen2.5-7B-Instruct", CacheLine{{.text = "Add."}, {.messages = {kQuestion, kAnswer}}}),
            "<|im_start|>system\nAdd.<|im_end|>\n<|im_start|>user\nTwo and two?<|im_end|>\n"
            "<|im_start|>assistant\nFour.<|im_end|>\n<|im_start|>");
  EXPECT_THAT(note_, IsEmpty());
}

TEST_F(ChatBorder, HoldsTheTurnOfAnAnswerWhereOnlyThatMayFollowAUser) {
  EXPECT_EQ(border_of("google-gemma-2-2b-it", CacheLine{{.messages = {kQuestion}}}),
            "<start_of_turn>user\nTwo and two?<end_of_turn>\n<start_of_turn>model\n");
}

TEST_F(ChatBorder, IsRefusedInTheTemplatesWordsWhereAConversationMayNotBeginSo) {
  const auto border =
      chat_border(template_named("google-gemma-2-2b-it"), tokenizer_.tokenize(), {{.messages = {kAnswer}}});
  ASSERT_FALSE(border);
  EXPECT_EQ(border.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(border.error().message, HasSubstr("roles must alternate"));
}

TEST_F(ChatBorder, HoldsTheToolsWhereverTheTemplatePrintsThem) {
  const CacheContent tools = {.messages = {{"system", "Be brief."}}, .tools = {{"weather", "Tells the weather."}}};
  for (const char* name : {"Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B", "meta-llama-Llama-3.1-8B-Instruct",
                           "mistralai-Mistral-Nemo-Instruct-2407"}) {
    EXPECT_THAT(border_of(name, {tools}), HasSubstr("Tells the weather.")) << name;
    EXPECT_THAT(border_of(name, {CacheContent{.tools = tools.tools}}), HasSubstr("Tells the weather.")) << name;
  }
}

TEST_F(ChatBorder, SaysThatToolsHaveNoEffectWhereTheTemplatePrintsNone) {
  EXPECT_THAT(border_of("google-gemma-2-2b-it", CacheLine{{.messages = {kQuestion, kAnswer}, .tools = {{"weather"}}}}),
              HasSubstr("Four."));
  EXPECT_THAT(note_, HasSubstr("does not print tools"));
}

TEST_F(ChatBorder, SaysWhenTheTextComesBehindWhatFollowsIt) {
  const auto last =
      ChatTemplate::create(nullptr,
                           "{% for role in ['user', 'system'] %}{% for m in messages %}{% if m.role == role %}"
                           "[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}{% endfor %}");
  const auto border = chat_border(*last, tokenizer_.tokenize(), {{.text = "Be brief."}});
  ASSERT_TRUE(border);
  EXPECT_EQ(tokenizer_.text(border->tokens), "[user]");
  EXPECT_THAT(border->note, HasSubstr("only a part can be reused"));
}

TEST_F(ChatBorder, PassesOnWhatTheTokenizerRefuses) {
  const Tokenize refuse = [](std::string_view) { return fail(ErrorCode::kInvalidArgument, "no"); };
  EXPECT_EQ(chat_border(template_named("Qwen-Qwen2.5-7B-Instruct"), refuse, {{.text = "x"}}).error().message, "no");
}

TEST(TextBorder, EndsWhereNoContinuationChangesATokenAnyMore) {
  FakeTokenizer tokenizer;
  const auto border = [&](const std::string& text) {
    return tokenizer.text(text_border(tokenizer.tokenize(), text)->tokens);
  };
  EXPECT_EQ(border("One two."), "One two.");
  EXPECT_EQ(border("One two"), "One");
  EXPECT_EQ(border("One two.\n"), "One two.");
  EXPECT_EQ(border("Wor"), "");
  EXPECT_EQ(border(""), "");
}

}  // namespace
}  // namespace rockllama
