#include "engine/pooling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace rockllama {

Pooling pooling_named(std::string_view word, Pooling of_model) {
  if (word == "mean") return Pooling::kMean;
  if (word == "cls") return Pooling::kFirst;
  if (word == "last") return Pooling::kLast;
  return of_model;
}

void Pooler::add(std::span<const float> rows, size_t width) {
  for (; rows.size() >= width && width != 0; rows = rows.subspan(width)) add_row(rows.first(width));
}

void Pooler::add_row(std::span<const float> row) {
  const bool first = tokens_++ == 0;
  if (first || pooling_ == Pooling::kLast) {
    sum_.assign(row.begin(), row.end());
  } else if (pooling_ == Pooling::kMean) {
    std::transform(row.begin(), row.end(), sum_.begin(), sum_.begin(),
                   [](float value, double sum) { return sum + value; });
  }
}

std::vector<float> Pooler::take() {
  const std::vector<double> sum = std::exchange(sum_, {});
  const uint32_t tokens = std::exchange(tokens_, 0);
  double divisor = pooling_ == Pooling::kMean ? tokens : 1.0;
  if (normalize_) divisor = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  if (!(divisor > 0)) divisor = 1;
  std::vector<float> vector(sum.size());
  std::transform(sum.begin(), sum.end(), vector.begin(),
                 [divisor](double value) { return static_cast<float>(value / divisor); });
  return vector;
}

}  // namespace rockllama
