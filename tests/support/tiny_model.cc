#include "tests/support/tiny_model.h"

#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace rockllama {
namespace {

constexpr uint32_t kTinyLayers = 2, kTinyWidth = 64, kTinyFeedForward = 128;
constexpr uint32_t kConvolution = 4, kInner = 2 * kTinyWidth, kState = 16, kRank = 4;
constexpr size_t kTinyBytes = 64u << 20;

using TinyGguf = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using TinyTensors = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

class TinyModel {
 public:
  TinyModel(const gguf_context* vocabulary, const char* architecture)
      : architecture_(architecture),
        file_(gguf_init_empty(), &gguf_free),
        tensors_(ggml_init({.mem_size = kTinyBytes, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free) {
    gguf_set_kv(file_.get(), vocabulary);
    gguf_set_val_str(file_.get(), "general.architecture", architecture);
    set("context_length", 8192U);
    set("block_count", kTinyLayers);
    set("embedding_length", kTinyWidth);
    set("attention.layer_norm_rms_epsilon", 1e-5F);
  }

  void set(const std::string& key, uint32_t value) {
    gguf_set_val_u32(file_.get(), (architecture_ + "." + key).c_str(), value);
  }
  void set(const std::string& key, float value) {
    gguf_set_val_f32(file_.get(), (architecture_ + "." + key).c_str(), value);
  }

  void set_text(const char* key, const char* value) { gguf_set_val_str(file_.get(), key, value); }

  // A tensor of `columns` times `rows` values that `value` gives.
  void add(const std::string& name, int64_t columns, int64_t rows, const std::function<float()>& value) {
    ggml_tensor* tensor = rows == 0 ? ggml_new_tensor_1d(tensors_.get(), GGML_TYPE_F32, columns)
                                    : ggml_new_tensor_2d(tensors_.get(), GGML_TYPE_F32, columns, rows);
    ggml_set_name(tensor, name.c_str());
    std::generate_n(static_cast<float*>(tensor->data), ggml_nelements(tensor), value);
    gguf_add_tensor(file_.get(), tensor);
  }
  void add_random(const std::string& name, int64_t columns, int64_t rows) {
    add(name, columns, rows, [this] { return weights_(random_); });
  }
  void add_ones(const std::string& name, int64_t columns) {
    add(name, columns, 0, [] { return 1.0F; });
  }

  [[nodiscard]] bool write(const std::string& to) const { return gguf_write_to_file(file_.get(), to.c_str(), false); }

 private:
  std::string architecture_;
  TinyGguf file_;
  TinyTensors tensors_;
  std::mt19937 random_{1};
  std::normal_distribution<float> weights_{0.0F, 0.12F};
};

// Names and shapes: llama.cpp, src/models/mamba.cpp.
void fill_recurrent(TinyModel* model) {
  model->set("ssm.conv_kernel", kConvolution);
  model->set("ssm.inner_size", kInner);
  model->set("ssm.state_size", kState);
  model->set("ssm.time_step_rank", kRank);
  model->set("feed_forward_length", 0U);
  model->set("attention.head_count", 0U);
  for (uint32_t layer = 0; layer < kTinyLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    model->add_ones(block + "attn_norm.weight", kTinyWidth);
    model->add_random(block + "ssm_in.weight", kTinyWidth, 2 * kInner);
    model->add_random(block + "ssm_conv1d.weight", kConvolution, kInner);
    model->add_random(block + "ssm_conv1d.bias", kInner, 0);
    model->add_random(block + "ssm_x.weight", kInner, kRank + 2 * kState);
    model->add_random(block + "ssm_dt.weight", kRank, kInner);
    model->add_random(block + "ssm_dt.bias", kInner, 0);
    model->add(block + "ssm_a", kState, kInner, [] { return -0.02F; });  // below 0, or the state grows without end
    model->add_ones(block + "ssm_d", kInner);
    model->add_random(block + "ssm_out.weight", kInner, kTinyWidth);
  }
}

// Names and shapes: llama.cpp, src/models/llama.cpp.
void fill_attention(TinyModel* model, const std::vector<const char*>& norms) {
  model->set("feed_forward_length", kTinyFeedForward);
  model->set("attention.head_count", 1U);
  model->set("attention.head_count_kv", 1U);
  model->set("attention.key_length", kTinyWidth);
  model->set("attention.value_length", kTinyWidth);
  for (uint32_t layer = 0; layer < kTinyLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    for (const char* norm : norms) model->add_ones(block + norm + ".weight", kTinyWidth);
    for (const char* matrix : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      model->add_random(block + matrix + ".weight", kTinyWidth, kTinyWidth);
    }
    model->add_random(block + "ffn_gate.weight", kTinyWidth, kTinyFeedForward);
    model->add_random(block + "ffn_up.weight", kTinyWidth, kTinyFeedForward);
    model->add_random(block + "ffn_down.weight", kTinyFeedForward, kTinyWidth);
  }
}

// Names: llama.cpp, src/models/gemma2.cpp.
void fill_sliding_window(TinyModel* model) {
  model->set("attention.sliding_window", kTinyWindow);
  fill_attention(model, {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"});
}

struct TinyArchitecture {
  const char* name;
  void (*fill)(TinyModel* model);
};

TinyArchitecture architecture_of(TinyShape shape) {
  switch (shape) {
    case TinyShape::kRecurrent:
      return {"mamba", fill_recurrent};
    case TinyShape::kSlidingWindow:
      return {"gemma2", fill_sliding_window};
    case TinyShape::kPlain:
      break;
  }
  return {"llama", [](TinyModel* model) { fill_attention(model, {"attn_norm", "ffn_norm"}); }};
}

}  // namespace

bool write_tiny_model(TinyShape shape, const std::string& vocabulary_of, const std::string& to) {
  const TinyGguf vocabulary(gguf_init_from_file(vocabulary_of.c_str(), {.no_alloc = true, .ctx = nullptr}), &gguf_free);
  if (!vocabulary) return false;
  const int64_t tokens = gguf_find_key(vocabulary.get(), "tokenizer.ggml.tokens");
  if (tokens < 0) return false;
  const TinyArchitecture architecture = architecture_of(shape);
  TinyModel model(vocabulary.get(), architecture.name);
  model.add_random("token_embd.weight", kTinyWidth, static_cast<int64_t>(gguf_get_arr_n(vocabulary.get(), tokens)));
  model.add_ones("output_norm.weight", kTinyWidth);
  architecture.fill(&model);
  return model.write(to);
}

// Names: llama.cpp, src/llama-adapter.cpp.
bool write_tiny_adapter(const std::string& to) {
  const TinyGguf nothing(gguf_init_empty(), &gguf_free);
  TinyModel adapter(nothing.get(), "llama");
  adapter.set_text("general.type", "adapter");
  adapter.set_text("adapter.type", "lora");
  const std::string matrix = "blk." + std::to_string(kTinyLayers - 1) + ".attn_output.weight";
  adapter.add_random(matrix + ".lora_a", kTinyWidth, kRank);
  adapter.add_random(matrix + ".lora_b", kRank, kTinyWidth);
  return adapter.write(to);
}

}  // namespace rockllama
