#include "engines/llama_cpp/llama_model.h"

#include <array>
#include <cstdlib>
#include <mutex>
#include <string>

#include "tokenizer/llama_log.h"

namespace rockllama {
namespace {

constexpr uint32_t kCellsMultiple = 256;  // llama.cpp rounds up to it

std::string metadata(const llama_model* model, const std::string& key) {
  std::array<char, 128> text{};
  const int32_t length = llama_model_meta_val_str(model, key.c_str(), text.data(), text.size());
  return length < 0 ? std::string() : std::string(text.data());
}

// Values per head of K or V; most models do not say because it follows from the width.
uint64_t head_width(const llama_model* model, const std::string& key) {
  const std::string said = metadata(model, metadata(model, "general.architecture") + key);
  if (!said.empty()) return std::strtoull(said.c_str(), nullptr, 10);
  const auto heads = static_cast<uint64_t>(llama_model_n_head(model));
  return heads == 0 ? 0 : static_cast<uint64_t>(llama_model_n_embd(model)) / heads;
}

// Empty where the file does not say.
std::string pooling_type(const llama_model* model) {
  return metadata(model, metadata(model, "general.architecture") + ".pooling_type");
}

}  // namespace

Result<std::shared_ptr<llama_model>> load_llama_model(const ModelSpec& spec) {
  static std::once_flag once;
  std::call_once(once, llama_backend_init);
  quiet_llama_log();
  std::shared_ptr<llama_model> model(llama_model_load_from_file(spec.file.c_str(), llama_model_default_params()),
                                     llama_model_free);
  if (!model) return fail(ErrorCode::kInvalidArgument, "llama.cpp cannot load the model file.");
  if (!llama_model_has_decoder(model.get()) || llama_model_has_encoder(model.get()) ||
      llama_model_is_diffusion(model.get()) || llama_vocab_n_tokens(llama_model_get_vocab(model.get())) == 0) {
    return fail(ErrorCode::kUnsupported, "The model does not generate text token by token.");
  }
  return model;
}

Result<LlamaContext> make_context(llama_model* model, const ContextSettings& settings) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = (settings.cells + kCellsMultiple - 1) / kCellsMultiple * kCellsMultiple;
  params.n_batch = settings.batch_tokens;
  params.n_ubatch = settings.batch_tokens;
  params.n_seq_max = settings.sequences;
  params.n_outputs_max = settings.embeddings ? settings.batch_tokens : settings.sequences;
  params.embeddings = settings.embeddings;
  // Said only where the model says otherwise: llama.cpp logs a difference.
  if (!pooling_type(model).empty()) params.pooling_type = LLAMA_POOLING_TYPE_NONE;
  params.n_threads = static_cast<int32_t>(settings.threads);
  params.n_threads_batch = static_cast<int32_t>(settings.threads);
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.type_k = GGML_TYPE_F16;
  params.type_v = GGML_TYPE_F16;
  params.kv_unified = true;
  params.swa_full = true;
  params.no_perf = true;
  LlamaContext context(llama_init_from_model(model, params));
  if (!context) return fail(ErrorCode::kInternal, "llama.cpp cannot make a context; there may be too little memory.");
  return context;
}

uint64_t kv_bytes_per_token(const llama_model* model) {
  const auto layers = static_cast<uint64_t>(llama_model_n_layer(model));
  const auto heads = static_cast<uint64_t>(llama_model_n_head_kv(model));
  const uint64_t width = head_width(model, ".attention.key_length") + head_width(model, ".attention.value_length");
  return layers * heads * width * ggml_type_size(GGML_TYPE_F16);
}

Result<Pooling> pooling_of(const EmbeddingMetadata& said, const std::string& word) {
  const auto is = [&said](enum llama_pooling_type type) { return said.pooling_type == std::to_string(type); };
  if (is(LLAMA_POOLING_TYPE_RANK)) {
    return fail(ErrorCode::kUnsupported, "This model ranks texts and makes no embeddings.");
  }
  if (said.causal == "false") {
    return fail(ErrorCode::kUnsupported,
                "The attention of this model is not causal, and texts are decoded block by block here: its embeddings "
                "would be wrong.");
  }
  Pooling of_model = Pooling::kMean;
  if (is(LLAMA_POOLING_TYPE_CLS)) of_model = Pooling::kFirst;
  if (is(LLAMA_POOLING_TYPE_LAST)) of_model = Pooling::kLast;
  return pooling_named(word, of_model);
}

Result<Pooling> model_pooling(const llama_model* model, const std::string& word) {
  const std::string causal = metadata(model, metadata(model, "general.architecture") + ".attention.causal");
  return pooling_of({.pooling_type = pooling_type(model), .causal = causal}, word);
}

bool states_can_be_cut(const llama_model* model) {
  return !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model) && llama_model_n_swa(model) == 0;
}

}  // namespace rockllama
