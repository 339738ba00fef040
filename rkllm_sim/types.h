// What the exported functions and the runtime behind them say to each other: plain values, the same for every version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rkllm_sim {

// What differs between the released versions beside the layout of their structs.
struct Behaviour {
  const char* version = "";           // as the library says it
  bool has_chat_template = true;      // applies the model's own
  bool crashes_without_tags = false;  // where img_start, img_end or img_content is NULL
  bool prints_model_line = true;      // the limit and the toolkit's version at init
  bool second_init_crashes = false;   // where memory is out; otherwise it fails
  bool special_tokens_in_text = false;
};

struct Sampling {
  int32_t top_k = 40;
  float top_p = 0.9F;
  float temperature = 0.8F;
  float repeat_penalty = 1.1F;
  float frequency_penalty = 0;
  float presence_penalty = 0;
  int32_t mirostat = 0;
  float mirostat_tau = 5;
  float mirostat_eta = 0.1F;
};

struct LoadSettings {
  std::string model_path{};
  int32_t max_context = 512;     // tokens
  int32_t max_new_tokens = 512;  // -1: until the context ends
  int32_t n_keep = 0;            // tokens kept at the start when the window shifts; -1: the whole prompt
  Sampling sampling{};
  bool skip_special_token = true;
  bool ignore_eos = false;
  bool tags_given = true;  // none of img_start, img_end, img_content is NULL
  int32_t n_batch = 1;
  int32_t threads = 4;
};

enum class InputKind : uint8_t { kPrompt, kTokens, kEmbeddings, kMultimodal };

struct Input {
  InputKind kind = InputKind::kPrompt;
  std::string role = "user";
  bool enable_thinking = true;
  std::string text{};
  std::vector<int32_t> tokens{};
  std::vector<float> embeddings{};  // tokens x the model's width
};

enum class RunMode : uint8_t { kGenerate, kHiddenLayer, kLogits };

struct RunOptions {
  RunMode mode = RunMode::kGenerate;
  std::optional<std::string> lora{};
  std::optional<std::string> save_path{};
  std::optional<Sampling> sampling{};
  bool keep_history = false;
  int32_t max_new_tokens = 0;  // 0: as it was loaded
};

enum class RunState : uint8_t { kNormal, kWaiting, kFinish, kError, kHiddenLayer };

struct Perf {
  float prefill_ms = 0;
  int32_t prefill_tokens = 0;  // without what came from a cache
  float generate_ms = 0;
  int32_t generate_tokens = 0;
  float memory_mb = 0;
};

// Pointers are valid only during the callback.
struct Output {
  const char* text = nullptr;
  int32_t token = 0;
  const float* hidden = nullptr;  // values of `hidden_tokens` rows
  int32_t hidden_width = 0;
  int32_t hidden_tokens = 0;
  const float* logits = nullptr;
  int32_t vocabulary = 0;
  int32_t logits_tokens = 0;
  Perf perf{};
};

// Called on the thread that runs. The value 1 pauses; the others go on.
using Callback = std::function<int(const Output&, RunState)>;

}  // namespace rkllm_sim
