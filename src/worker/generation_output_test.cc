#include "worker/generation_output.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;

// Of an answer that echoes its prompt.
std::vector<std::string> echoing_texts(const std::vector<std::string>& pieces) {
  std::vector<std::string> texts;
  GenerationOutput output([&texts](const protocol::Event& event) {
    if (const auto* tokens = std::get_if<protocol::Tokens>(&event)) texts.push_back(tokens->piece.text);
  });
  output.expect_generation(1, {.stop = {"END"}, .echo = "Once END "});
  for (const std::string& piece : pieces) static_cast<void>(output.take(TokenGenerated{1, 5, piece}));
  static_cast<void>(output.take(GenerationFinished{.id = 1}));
  return texts;
}

TEST(GenerationOutput, PutsAnEchoBeforeTheFirstText) {
  EXPECT_THAT(echoing_texts({"upon", " a"}), ElementsAre("Once END upon", " a"));
  EXPECT_THAT(echoing_texts({"EN", "D"}), ElementsAre("Once END ", ""));
}

TEST(GenerationOutput, EchoesAlsoBeforeAnAnswerWithoutTokens) {
  EXPECT_THAT(echoing_texts({}), ElementsAre("Once END "));
}

}  // namespace
}  // namespace rockllama
