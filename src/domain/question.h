// What a model can be asked beside a generation, with its answers, in the words that server and worker share. Plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

using EmbeddingInput = std::variant<std::string, std::vector<int32_t>>;  // text, or token ids

// A vector for each input.
struct EmbeddingsQuestion {
  std::vector<EmbeddingInput> inputs;  // none of them empty
  bool operator==(const EmbeddingsQuestion&) const = default;
};

struct TokenizeQuestion {
  std::string text;
  bool add_special = false;   // the special tokens that the model wants around a text
  bool parse_special = true;  // those that are spelled out in the text are taken as such
  bool operator==(const TokenizeQuestion&) const = default;
};

struct DetokenizeQuestion {
  std::vector<int32_t> tokens;
  bool operator==(const DetokenizeQuestion&) const = default;
};

// What the model would be given for a chat.
struct TemplateQuestion {
  ChatPrompt chat;
  bool operator==(const TemplateQuestion&) const = default;
};

using Question = std::variant<EmbeddingsQuestion, TokenizeQuestion, DetokenizeQuestion, TemplateQuestion>;

struct Embeddings {
  std::vector<std::vector<float>> vectors;  // in the order of the inputs, all of one size
  uint32_t prompt_tokens = 0;               // of all inputs
  bool operator==(const Embeddings&) const = default;
};

struct Tokenized {
  std::vector<int32_t> tokens;
  std::vector<std::string> pieces;  // of each token its bytes, which may end inside a UTF-8 character
  bool operator==(const Tokenized&) const = default;
};

struct PlainText {
  std::string text;  // bytes of tokens may be no UTF-8
  bool operator==(const PlainText&) const = default;
};

using Answer = std::variant<Embeddings, Tokenized, PlainText>;

}  // namespace rockllama
