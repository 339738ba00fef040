// What a model is: the file that serves, how to load it, and what a loaded one can do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

enum class EngineKind : uint8_t { kLlamaCpp, kRkllm, kScripted };
[[nodiscard]] const char* to_string(EngineKind kind);  // llama.cpp, rkllm, scripted

// What only the RKLLM engine has a use for.
struct RkllmSettings {
  std::string library{};      // path of librkllmrt.so; empty = RKLLM_LIB_PATH, then the loader's own search
  std::string version{};      // what the library is taken for; empty = it is found out
  std::string prompt_mode{};  // tokens, rendered, native; empty = chosen at load
  std::string lora_file{};    // path of an adapter; empty = none
  float lora_scale = 1;
  int32_t n_keep = 0;  // tokens that stay when the runtime's context is full; -1 = as the runtime likes
  bool skip_special_token = true;
  uint32_t base_domain_id = 0;  // of the NPU's memory
  bool embed_flash = false;     // embeddings are read from flash
  uint32_t n_batch = 1;
  uint32_t enabled_cpus_num = 4;
  uint32_t enabled_cpus_mask = 0xf0;
  bool operator==(const RkllmSettings&) const = default;
};

// How the vectors of a text's tokens become one.
struct EmbeddingSettings {
  std::string pooling = "auto";  // mean, cls (the first token's), last; auto = as the model file says, else mean
  bool normalize = true;         // to length 1
  uint32_t max_tokens = 0;       // of one input; 0 = the model's context
  bool operator==(const EmbeddingSettings&) const = default;
};

// How to load a model; goes to the worker as it is.
struct ModelSpec {
  std::string name;  // folder name
  EngineKind engine = EngineKind::kLlamaCpp;
  std::string file;                     // path of the model file
  std::string tokenizer_file{};         // path of a vocabulary-only GGUF, for engines without a vocabulary of their own
  std::string chat_template{};          // Jinja source that overrides the model's own; empty = the model's
  uint32_t context_tokens = 0;          // limit of one request; 0 = the smaller of the model's own and 8192
  uint32_t kv_tokens = 0;               // cells of the KV buffer; 0 = parallel generations of a fair size, see engine
  uint32_t parallel = 8;                // generations at once
  uint32_t block_tokens = 256;          // prefill block; part of the fingerprint, because bits depend on it
  uint32_t threads = 0;                 // 0 = the performance cores
  bool automatic_reuse = true;          // finished conversations stay reusable
  uint64_t automatic_memory_bytes = 0;  // for copies of those, which may leave the KV buffer
  bool offer_evicted = false;           // those that are let go are offered to the server, for a file
  SamplingParams sampling_defaults{};
  int32_t default_max_tokens = -1;
  EmbeddingSettings embedding{};
  RkllmSettings rkllm{};
  bool operator==(const ModelSpec&) const = default;
};

struct Capabilities {
  uint32_t max_parallel = 1;
  bool token_counts = false;
  bool per_request_sampling = false;
  bool seed = false;
  bool grammar = false;
  bool logprobs = false;
  bool state_save = false;
  bool operator==(const Capabilities&) const = default;
};

// What the worker measured of its engine, and what it holds for automatic reuse.
struct EngineFigures {
  double prefill_tokens_per_s = 0;  // 0 = not measured yet
  double restore_bytes_per_s = 0;   // of states from files; 0 = not measured yet
  uint32_t resident_prefixes = 0;   // idle, in the KV buffer
  uint32_t memory_prefixes = 0;     // idle, out of the KV buffer
  uint64_t memory_bytes = 0;        // of all copies in memory
  bool operator==(const EngineFigures&) const = default;
};

// What the worker says of a model once it is loaded.
struct LoadedModel {
  Capabilities capabilities{};
  uint32_t context_tokens = 0;  // limit of one request: prompt and answer
  uint32_t trained_context_tokens = 0;
  uint64_t kv_bytes_per_token = 0;
  std::string engine_version{};  // for people
  // Everything of the engine that decides bits: build, CPU features, KV type, flash attention, block size, threads,
  // rope and LoRA settings. Joined with the model file's hash it is the fingerprint of a state.
  std::string engine_fingerprint{};
  bool has_chat_template = false;
  std::vector<std::string> ignored_sampling{};  // fields of a request's sampling that have no effect
  std::string prompt_mode{};                    // how prompts reach an RKLLM runtime; empty for other engines
  std::string prompt_mode_reason{};
  bool operator==(const LoadedModel&) const = default;
};

}  // namespace rockllama
