// Holds the tokens of one generation to a grammar, over llama.cpp's.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "domain/answer_grammar.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {

class GrammarSampler {
 public:
  // kInvalidArgument where llama.cpp cannot follow the grammar.
  [[nodiscard]] static Result<GrammarSampler> create(const AnswerGrammar& grammar, const Vocabulary& vocabulary);

  // Whether the token may come next.
  [[nodiscard]] bool allows(int32_t token) const;
  // Takes out what may not come next.
  void apply(llama_token_data_array* candidates) const;
  // The token came. kInternal where it may not have.
  [[nodiscard]] Status accept(int32_t token);

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  using Owned = std::unique_ptr<llama_sampler, Free>;

  [[nodiscard]] bool holds() const;
  void watch_reasoning(const AnswerGrammar& grammar, const Vocabulary& vocabulary);
  void replay_end_of_reasoning();

  Owned grammar_;
  Owned reasoning_;  // of a lazy grammar, which waits while the model reasons; may be null
};

}  // namespace rockllama
