// The vocabulary of a model: text to tokens and back, over llama.cpp. Copies share one vocabulary. Read-only: every
// method may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct llama_model;
struct llama_vocab;

namespace rockllama {

class Vocabulary {
 public:
  // Of a GGUF file, without its weights. kInvalidArgument where llama.cpp cannot read one from it.
  [[nodiscard]] static Result<Vocabulary> load(const std::string& path);
  // Of a loaded model, which is kept alive.
  explicit Vocabulary(std::shared_ptr<llama_model> model);

  // Raw text of a completion: with the special tokens that the model wants around a text (BOS), and special tokens
  // that are spelled out in it are taken as such. kInvalidArgument where llama.cpp refuses the text.
  [[nodiscard]] Result<std::vector<int32_t>> tokenize_text(std::string_view text) const;
  // Text that a chat template rendered: as above, but with exactly one BOS where the model wants one, whether the
  // template wrote it or not, and nothing at the end.
  [[nodiscard]] Result<std::vector<int32_t>> tokenize_chat(std::string_view rendered) const;

  // A text within others: nothing is put around it. Empty where it cannot be tokenized.
  [[nodiscard]] std::vector<int32_t> tokens_of(std::string_view text) const;
  // kInvalidArgument as above. `add_special`: those that the model wants around a text; `parse_special`: those that are
  // spelled out in it are taken as such.
  [[nodiscard]] Result<std::vector<int32_t>> tokenize(std::string_view text, bool add_special,
                                                      bool parse_special) const;

  // What a model that can fill in is given for the text between both. kUnsupported where the vocabulary has no tokens
  // for that.
  [[nodiscard]] Result<std::vector<int32_t>> infill(const std::vector<int32_t>& before,
                                                    const std::vector<int32_t>& behind) const;

  // The bytes of a token; may end inside a UTF-8 character. Empty for control tokens and for ids that are none.
  [[nodiscard]] std::string piece(int32_t token) const;
  // The same, with control tokens spelled out.
  [[nodiscard]] std::string name(int32_t token) const;
  [[nodiscard]] bool is_end_of_generation(int32_t token) const;
  [[nodiscard]] uint32_t size() const;

  [[nodiscard]] const llama_vocab* vocab() const { return vocab_; }
  [[nodiscard]] llama_model* model() const { return model_.get(); }

 private:
  std::shared_ptr<llama_model> model_;
  const llama_vocab* vocab_;
};

}  // namespace rockllama
