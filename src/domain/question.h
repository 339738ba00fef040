// What a model can be asked beside a generation, with its answers, in the words that server and worker share. Plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace rockllama {

using EmbeddingInput = std::variant<std::string, std::vector<int32_t>>;  // text, or token ids

// A vector for each input.
struct EmbeddingsQuestion {
  std::vector<EmbeddingInput> inputs;  // none of them empty
  bool operator==(const EmbeddingsQuestion&) const = default;
};

using Question = std::variant<EmbeddingsQuestion>;

struct Embeddings {
  std::vector<std::vector<float>> vectors;  // in the order of the inputs, all of one size
  uint32_t prompt_tokens = 0;               // of all inputs
  bool operator==(const Embeddings&) const = default;
};

using Answer = std::variant<Embeddings>;

}  // namespace rockllama
