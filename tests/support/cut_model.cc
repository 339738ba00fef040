// cut_model IN OUT: a Llama model as GGUF with only the first two layers, first head and first 64 channels of IN, for
// tests under sanitizers, which need the real code paths, vocabulary and template, and none of the sense.
// Exit code 1, with a line on stderr, where that fails.
#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

constexpr uint32_t kLayers = 2, kWidth = 64, kFeedForward = 128;  // one head of the demo model is 64 channels wide

using Gguf = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using Tensors = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

// Tensors of layer N are named blk.N.something (llama.cpp, src/llama-arch.cpp).
bool is_kept(const std::string& name) {
  return !name.starts_with("blk.") || std::atoi(name.c_str() + 4) < static_cast<int>(kLayers);
}

// Channels are cut, tokens of the vocabulary are not.
int64_t rows_of(const ggml_tensor* tensor, const std::string& name) {
  if (name.starts_with("token_embd")) return tensor->ne[1];
  return std::min<int64_t>(tensor->ne[1], name.find("ffn_gate") + 1 || name.find("ffn_up") + 1 ? kFeedForward : kWidth);
}

ggml_tensor* cut(ggml_context* to, const ggml_tensor* tensor) {
  const std::string name = ggml_get_name(tensor);
  const auto columns = std::min<int64_t>(tensor->ne[0], name.find("ffn_down") + 1 ? kFeedForward : kWidth);
  ggml_tensor* small = ggml_new_tensor_2d(to, tensor->type, columns, rows_of(tensor, name));
  ggml_set_name(small, name.c_str());
  for (int64_t row = 0; row < small->ne[1]; ++row) {
    std::memcpy(static_cast<char*>(small->data) + row * small->nb[1],
                static_cast<const char*>(tensor->data) + row * tensor->nb[1], ggml_row_size(small->type, columns));
  }
  return small;
}

void set_shape(gguf_context* model) {
  const std::string prefix = gguf_get_val_str(model, gguf_find_key(model, "general.architecture"));
  const auto set = [&](const char* key, uint32_t value) { gguf_set_val_u32(model, (prefix + key).c_str(), value); };
  set(".block_count", kLayers);
  set(".embedding_length", kWidth);
  set(".feed_forward_length", kFeedForward);
  set(".attention.head_count", 1);
  set(".attention.head_count_kv", 1);
}

bool cut(const char* from, const char* to) {
  ggml_context* loaded = nullptr;
  const Gguf model(gguf_init_from_file(from, {.no_alloc = false, .ctx = &loaded}), &gguf_free);
  if (!model) return false;
  const Tensors tensors(loaded, &ggml_free);
  const Tensors cut_tensors(
      ggml_init({.mem_size = ggml_get_mem_size(loaded), .mem_buffer = nullptr, .no_alloc = false}), &ggml_free);
  const Gguf small(gguf_init_empty(), &gguf_free);
  gguf_set_kv(small.get(), model.get());
  set_shape(small.get());
  for (const auto* tensor = ggml_get_first_tensor(loaded); tensor;
       tensor = ggml_get_next_tensor(loaded, const_cast<ggml_tensor*>(tensor))) {
    const char* name = ggml_get_name(tensor);
    if (gguf_find_tensor(model.get(), name) >= 0 && is_kept(name)) {
      gguf_add_tensor(small.get(), cut(cut_tensors.get(), tensor));
    }
  }
  return gguf_write_to_file(small.get(), to, false);
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && cut(arguments[1], arguments[2])) return 0;
  std::fprintf(stderr, "cut_model: could not make the model; it wants IN OUT\n");
  return 1;
}
