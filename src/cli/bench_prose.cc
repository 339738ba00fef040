#include "cli/bench_prose.h"

#include <array>

namespace rockllama {
namespace {

constexpr std::array kSubjects = {"The harbour office", "Our night train",     "The old library",
                                  "A small workshop",   "The hill garden",     "The market council",
                                  "The stone bridge",   "A travelling teacher"};
constexpr std::array kVerbs = {"keeps a written record of", "is glad to explain",     "has never charged for",
                               "asks every visitor about",  "was the first to offer", "closes early because of"};
constexpr std::array kObjects = {"the boats that arrive before noon", "lost gloves and other small things",
                                 "warm meals in the winter months", "the repair of clocks and radios",
                                 "the paths that lead to the coast"};
// Of the demo model; others are near enough.
constexpr int kTokensPerSentence = 15;

}  // namespace

std::string bench_prose(int tokens, int variant) {
  std::string text = std::to_string(variant) + " rules stand in this handbook for guests.";
  for (int i = 0; i < tokens / kTokensPerSentence; ++i) {
    const auto n = static_cast<size_t>(i + variant * 3);
    text += std::string(" ") + kSubjects[n % kSubjects.size()] + " " + kVerbs[(n / 2) % kVerbs.size()] + " " +
            kObjects[(n / 3) % kObjects.size()] + ".";
  }
  return text;
}

}  // namespace rockllama
