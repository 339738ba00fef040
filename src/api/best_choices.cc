#include "api/best_choices.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

namespace rockllama::api {
namespace {

double mean_logprob(const ChoiceAnswer& answer) {
  const std::vector<TokenLogprobs>& tokens = answer.said.logprobs;
  if (tokens.empty()) return std::numeric_limits<double>::lowest();
  const double sum = std::accumulate(tokens.begin(), tokens.end(), 0.0,
                                     [](double all, const TokenLogprobs& token) { return all + token.chosen.logprob; });
  return sum / static_cast<double>(tokens.size());
}

}  // namespace

std::vector<ChoiceAnswer> best_choices(std::vector<ChoiceAnswer> answers, size_t candidates, size_t told) {
  if (told >= candidates) return answers;
  const auto better = [](const ChoiceAnswer& a, const ChoiceAnswer& b) { return mean_logprob(a) > mean_logprob(b); };
  std::vector<ChoiceAnswer> best;
  for (size_t first = 0; first < answers.size(); first += candidates) {
    const auto begin = answers.begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(candidates), better);
    std::move(begin, begin + static_cast<std::ptrdiff_t>(told), std::back_inserter(best));
  }
  return best;
}

}  // namespace rockllama::api
