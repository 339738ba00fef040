// One GGUF file in llama.cpp with the KV cells of its only sequence, and the tokens that they stand for. Owned by a
// Runtime; one thread at a time.
#pragma once

#include <llama.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rkllm_sim/types.h"

namespace rkllm_sim {

struct ModelDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
  void operator()(llama_context* context) const { llama_free(context); }
};

class Model {
 public:
  // Null where the file is no model. Does not look at the limits of the settings.
  static std::unique_ptr<Model> load_file(const std::string& path);

  // Tokens for which it was trained, at most 16384.
  [[nodiscard]] int32_t context_limit() const;
  // Makes the context; false where memory is out.
  [[nodiscard]] bool make_context(const LoadSettings& settings);

  [[nodiscard]] const llama_vocab* vocabulary() const { return llama_model_get_vocab(model_.get()); }
  [[nodiscard]] llama_context* context() const { return context_.get(); }
  [[nodiscard]] int32_t width() const { return llama_model_n_embd(model_.get()); }
  [[nodiscard]] int32_t context_size() const { return static_cast<int32_t>(llama_n_ctx(context_.get())); }
  // The template inside the file, empty if there is none.
  [[nodiscard]] std::string chat_template() const;
  [[nodiscard]] std::vector<int32_t> tokenize(const std::string& text, bool begin, bool special) const;
  [[nodiscard]] std::string piece(int32_t token, bool special) const;

  // Tokens in the KV cells; negative ones stand for embeddings.
  [[nodiscard]] const std::vector<int32_t>& cells() const { return cells_; }

  // Decodes at least one token behind what is there; outputs of all of them if `all`, else of the last. False where it
  // fails.
  [[nodiscard]] bool decode(std::span<const int32_t> tokens, bool all = false);
  // The same with rows of width() values.
  [[nodiscard]] bool decode_embeddings(std::span<const float> rows, bool all = false);

  void clear();
  // Removes the cells [start, end) and moves those behind to the front; false where the model cannot.
  [[nodiscard]] bool remove(int32_t start, int32_t end);

  // The cells as bytes, and cells from such bytes, of which only the first `keep` stay; false where they do not fit.
  [[nodiscard]] std::vector<uint8_t> state() const;
  [[nodiscard]] bool restore(std::span<const uint8_t> state, std::span<const int32_t> tokens, size_t keep);

  [[nodiscard]] bool load_lora(const std::string& name, const std::string& path, float scale);
  // Uses the adapter with this name from now on, none if empty; false if it was not loaded.
  [[nodiscard]] bool use_lora(const std::string& name);

 private:
  struct Adapter {
    llama_adapter_lora* adapter;  // goes with the model
    float scale;
  };

  void touch_weights();
  bool decode_batch(llama_batch& batch, int32_t count, bool all);

  std::unique_ptr<llama_model, ModelDeleter> model_;
  std::unique_ptr<llama_context, ModelDeleter> context_;
  std::vector<int32_t> cells_;
  std::map<std::string, Adapter> adapters_;
};

}  // namespace rkllm_sim
