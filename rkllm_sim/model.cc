#include "rkllm_sim/model.h"

#include <algorithm>
#include <mutex>

namespace rkllm_sim {
namespace {

constexpr int32_t kLargestContext = 16384;  // tokens, that a model can be converted with
constexpr int32_t kEmbeddingCell = -1;

void start_backend() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
  });
}

}  // namespace

std::unique_ptr<Model> Model::load_file(const std::string& path) {
  start_backend();
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
  auto model = std::make_unique<Model>();
  model->model_.reset(llama_model_load_from_file(path.c_str(), params));
  if (!model->model_) return nullptr;
  return model;
}

int32_t Model::context_limit() const { return std::min(llama_model_n_ctx_train(model_.get()), kLargestContext); }

bool Model::make_context(const LoadSettings& settings) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(settings.max_context);
  params.n_batch = params.n_ctx;  // a prompt is one call, which nothing breaks off
  params.n_seq_max = 1;
  params.n_threads = settings.threads;
  params.n_threads_batch = settings.threads;
  params.no_perf = true;
  params.pooling_type = LLAMA_POOLING_TYPE_NONE;
  // On a CPU it takes the few tokens behind a prompt cache one by one, and a whole prompt as fast as without it.
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  context_.reset(llama_init_from_model(model_.get(), params));
  if (context_) touch_weights();
  return context_ != nullptr;
}

// The vendor's holds the weights in the NPU's memory when init returns; here the first run would fetch them page by
// page.
void Model::touch_weights() {
  constexpr int32_t kAnyToken = 0;
  static_cast<void>(decode({&kAnyToken, 1}));
  clear();
}

std::string Model::chat_template() const {
  const char* text = llama_model_chat_template(model_.get(), nullptr);
  return text ? text : "";
}

std::vector<int32_t> Model::tokenize(const std::string& text, bool begin, bool special) const {
  std::vector<int32_t> tokens(text.size() + 2);
  const int32_t count = llama_tokenize(vocabulary(), text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                       static_cast<int32_t>(tokens.size()), begin, special);
  tokens.resize(static_cast<size_t>(std::max(count, 0)));
  return tokens;
}

std::string Model::piece(int32_t token, bool special) const {
  std::string text(256, '\0');
  const int32_t size =
      llama_token_to_piece(vocabulary(), token, text.data(), static_cast<int32_t>(text.size()), 0, special);
  text.resize(static_cast<size_t>(std::max(size, 0)));
  return text;
}

bool Model::decode(std::span<const int32_t> tokens, bool all) {
  const auto count = static_cast<int32_t>(tokens.size());
  llama_batch batch = llama_batch_init(count, 0, 1);
  std::copy(tokens.begin(), tokens.end(), batch.token);
  const bool fine = decode_batch(batch, count, all);
  llama_batch_free(batch);
  if (fine) cells_.insert(cells_.end(), tokens.begin(), tokens.end());
  return fine;
}

bool Model::decode_embeddings(std::span<const float> rows, bool all) {
  const auto count = static_cast<int32_t>(rows.size()) / width();
  llama_batch batch = llama_batch_init(count, width(), 1);
  std::copy_n(rows.begin(), count * width(), batch.embd);
  const bool fine = decode_batch(batch, count, all);
  llama_batch_free(batch);
  if (fine) cells_.insert(cells_.end(), static_cast<size_t>(count), kEmbeddingCell);
  return fine;
}

bool Model::decode_batch(llama_batch& batch, int32_t count, bool all) {
  batch.n_tokens = count;
  for (int32_t i = 0; i < count; ++i) {
    batch.pos[i] = static_cast<int32_t>(cells_.size()) + i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = static_cast<int8_t>(all || i == count - 1);
  }
  return llama_decode(context(), batch) == 0;
}

void Model::clear() {
  // What the cells held need not be wiped: that costs as much as a restore.
  llama_memory_clear(llama_get_memory(context()), false);
  cells_.clear();
}

bool Model::remove(int32_t start, int32_t end) {
  llama_memory_t memory = llama_get_memory(context());
  const auto size = static_cast<int32_t>(cells_.size());
  start = std::clamp(start, 0, size);
  end = std::clamp(end, start, size);
  if (end < size && !llama_memory_can_shift(memory)) return false;
  if (!llama_memory_seq_rm(memory, 0, start, end)) return false;
  if (end < size) llama_memory_seq_add(memory, 0, end, -1, start - end);
  cells_.erase(cells_.begin() + start, cells_.begin() + end);
  return true;
}

std::vector<uint8_t> Model::state() const {
  std::vector<uint8_t> bytes(llama_state_seq_get_size(context(), 0));
  bytes.resize(llama_state_seq_get_data(context(), bytes.data(), bytes.size(), 0));
  return bytes;
}

bool Model::restore(std::span<const uint8_t> state, std::span<const int32_t> tokens, size_t keep) {
  clear();
  if (llama_state_seq_set_data(context(), state.data(), state.size(), 0) == 0) {
    clear();
    return false;
  }
  cells_.assign(tokens.begin(), tokens.end());
  if (remove(static_cast<int32_t>(keep), static_cast<int32_t>(tokens.size()))) return true;
  clear();
  return false;
}

bool Model::load_lora(const std::string& name, const std::string& path, float scale) {
  llama_adapter_lora* adapter = llama_adapter_lora_init(model_.get(), path.c_str());
  if (adapter) adapters_[name] = {adapter, scale};
  return adapter != nullptr;
}

bool Model::use_lora(const std::string& name) {
  if (name.empty()) return llama_set_adapters_lora(context(), nullptr, 0, nullptr) == 0;
  const auto found = adapters_.find(name);
  if (found == adapters_.end()) return false;
  return llama_set_adapters_lora(context(), &found->second.adapter, 1, &found->second.scale) == 0;
}

}  // namespace rkllm_sim
