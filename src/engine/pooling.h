// One vector of a text, made of those of its tokens. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace rockllama {

enum class Pooling : uint8_t { kMean, kFirst, kLast };

// Of the words of EmbeddingSettings; `of_model` for "auto".
[[nodiscard]] Pooling pooling_named(std::string_view word, Pooling of_model);

class Pooler {
 public:
  Pooler(Pooling pooling, bool normalize) : pooling_(pooling), normalize_(normalize) {}

  // The next tokens' vectors one after the other, each of `width` values, which stays the same.
  void add(std::span<const float> rows, size_t width);
  [[nodiscard]] uint32_t tokens() const { return tokens_; }
  // Of all that was added; at least one token. Afterwards it is empty, for the next text. A vector of zeros stays one.
  [[nodiscard]] std::vector<float> take();

 private:
  void add_row(std::span<const float> row);

  Pooling pooling_;
  bool normalize_;
  uint32_t tokens_ = 0;
  std::vector<double> sum_;
};

}  // namespace rockllama
