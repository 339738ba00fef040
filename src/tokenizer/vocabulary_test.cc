#include "tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <llama.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>

namespace rockllama {
namespace {

using ::testing::TempDir;

// Loading one takes up to a second.
Vocabulary vocabulary(const std::string& name) {
  static std::map<std::string, Vocabulary> known;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  Result<Vocabulary> loaded = Vocabulary::load(std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-" + name + ".gguf");
  if (!loaded) throw std::runtime_error("no vocabulary " + name);
  return known.emplace(name, *loaded).first->second;
}

std::string text_of(const Vocabulary& vocabulary, const std::vector<int32_t>& tokens) {
  std::string text;
  for (const int32_t token : tokens) text += vocabulary.piece(token);
  return text;
}

int64_t count_bos(const Vocabulary& vocabulary, const std::vector<int32_t>& tokens) {
  return std::count(tokens.begin(), tokens.end(), llama_vocab_bos(vocabulary.vocab()));
}

class BosVocabulary : public ::testing::TestWithParam<const char*> {
 protected:
  Vocabulary vocabulary_ = vocabulary(GetParam());
  std::string bos_ = llama_vocab_get_text(vocabulary_.vocab(), llama_vocab_bos(vocabulary_.vocab()));
};

TEST_P(BosVocabulary, PutsBosBeforeRawText) {
  const auto tokens = vocabulary_.tokenize_text("Hello world").value();
  EXPECT_EQ(tokens.front(), llama_vocab_bos(vocabulary_.vocab()));
  EXPECT_EQ(count_bos(vocabulary_, tokens), 1);
}

TEST_P(BosVocabulary, KeepsTheOneBosThatAChatTemplateWrote) {
  const auto tokens = vocabulary_.tokenize_chat(bos_ + "Hello world").value();
  EXPECT_EQ(tokens.front(), llama_vocab_bos(vocabulary_.vocab()));
  EXPECT_EQ(count_bos(vocabulary_, tokens), 1);
}

TEST_P(BosVocabulary, AddsTheBosThatAChatTemplateLeftOut) {
  EXPECT_EQ(vocabulary_.tokenize_chat("Hello world").value(), vocabulary_.tokenize_chat(bos_ + "Hello world").value());
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, BosVocabulary, ::testing::Values("llama-spm", "llama-bpe", "gemma-4"),
                         [](const auto& vocabulary_name) {
                           std::string name = vocabulary_name.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Vocabulary, AddsNoBosWhereTheModelWantsNone) {
  const Vocabulary qwen = vocabulary("qwen2");
  EXPECT_EQ(qwen.tokenize_text("Hello world").value(), qwen.tokenize_chat("Hello world").value());
  EXPECT_EQ(text_of(qwen, qwen.tokenize_text("Hello world").value()), "Hello world");
}

TEST(Vocabulary, ReadsSpecialTokensThatAreSpelledOut) {
  const Vocabulary qwen = vocabulary("qwen2");
  const auto tokens = qwen.tokenize_chat("<|im_start|>user\nHi<|im_end|>").value();
  EXPECT_EQ(llama_vocab_get_text(qwen.vocab(), tokens.front()), std::string("<|im_start|>"));
  EXPECT_TRUE(qwen.is_end_of_generation(tokens.back()));
  EXPECT_EQ(qwen.piece(tokens.back()), "");
}

TEST(Vocabulary, GivesTheBytesOfSplitCharacters) {
  const Vocabulary qwen = vocabulary("qwen2");
  const std::string text = "na\xC3\xAFve \xF0\x9F\xA6\x99 \xE2\x98\x83";
  EXPECT_EQ(text_of(qwen, qwen.tokenize_text(text).value()), text);
}

TEST(Vocabulary, TakesAnEmptyTextAndBrokenUtf8) {
  const Vocabulary qwen = vocabulary("qwen2");
  EXPECT_TRUE(qwen.tokenize_text("").value().empty());
  EXPECT_TRUE(qwen.tokenize_text("a\xFF\xC3").has_value());
}

TEST(Vocabulary, HasNoPieceForIdsOutsideIt) {
  const Vocabulary qwen = vocabulary("qwen2");
  EXPECT_EQ(qwen.piece(-1), "");
  EXPECT_EQ(qwen.piece(static_cast<int32_t>(qwen.size())), "");
}

TEST(Vocabulary, RefusesAFileThatIsNotAModel) {
  const std::string path = TempDir() + "rockllama_no_model.gguf";
  std::ofstream(path) << "GGUF, but not really";
  EXPECT_EQ(Vocabulary::load(path).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Vocabulary::load(path + ".missing").error().code, ErrorCode::kInvalidArgument);
}

TEST(Vocabulary, MarksWhatStandsAroundAMiddle) {
  const Vocabulary starcoder = vocabulary("starcoder");
  const auto tokens = starcoder.infill(starcoder.tokens_of("def "), starcoder.tokens_of("return 1")).value();
  std::string text;
  for (const int32_t token : tokens) text += starcoder.name(token);
  EXPECT_EQ(text, "<fim_prefix>def <fim_suffix>return 1<fim_middle>");
}

TEST(Vocabulary, RefusesAMiddleWhereItHasNoTokensForOne) {
  EXPECT_EQ(vocabulary("qwen2").infill({1}, {2}).error().code, ErrorCode::kUnsupported);
}

TEST(Vocabulary, OfTheDemoModelSpeaksChatMl) {
  const char* path = std::getenv("ROCKLLAMA_TEST_MODEL");
  ASSERT_NE(path, nullptr) << "ROCKLLAMA_TEST_MODEL must name the demo model; script/test sets it";
  const Vocabulary demo = Vocabulary::load(path).value();
  const auto tokens = demo.tokenize_chat("<|im_start|>system\nBe brief.<|im_end|>\n").value();
  EXPECT_EQ(llama_vocab_get_text(demo.vocab(), tokens.front()), std::string("<|im_start|>"));
  EXPECT_EQ(demo.tokenize_text("Once upon a time").value().size(), 4u);
}

}  // namespace
}  // namespace rockllama
