// The engine behind make_llama_cpp_engine(). One step: what was cancelled goes, what fits is admitted, running
// generations decode a token each, and one call prefills a block of whoever waits longest for one, and blocks of others
// as far as the call takes them. A request over a prefix that another one prefills waits for that (single flight).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engines/llama_cpp/cancel_set.h"
#include "engines/llama_cpp/decoder.h"
#include "engines/llama_cpp/embedder.h"
#include "engines/llama_cpp/engine_settings.h"
#include "engines/llama_cpp/kv_buffer.h"
#include "engines/llama_cpp/llama_cpp_engine.h"
#include "engines/llama_cpp/running_generation.h"
#include "engines/llama_cpp/state_builder.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {

class LlamaCppEngine final : public Engine {
 public:
  struct Parts {
    Vocabulary vocabulary;
    LlamaContext context;
    EngineSettings settings;
    StateLayout layout;
    SamplingParams sampling_defaults;
    EmbeddingSettings embedding;
    LoadedModel loaded;
    EngineSink sink;
    LlamaEngineOptions options;
  };
  explicit LlamaCppEngine(Parts parts);

  [[nodiscard]] const LoadedModel& model() const override { return parts_.loaded; }
  void start(GenerationTask task) override;
  void save_state(SaveStateTask task) override;
  void embed(EmbeddingTask task) override { embedder_.add(std::move(task)); }
  void keep(RequestId id, uint64_t offer, UniqueFd file) override;
  void offer_all() override;
  [[nodiscard]] size_t unanswered_offers() override;
  void add_credit(RequestId id, uint32_t tokens) override;
  void cancel(RequestId id) override { cancelled_.add(id); }
  bool step() override;

 private:
  using Running = std::unique_ptr<RunningGeneration>;

  bool drop_cancelled();
  void drop(RequestId id, const Error& error);
  bool admit_waiting();
  void admit(GenerationTask task, const PrefixChoice& choice);
  bool decode_tokens();
  void sample_decoded(const std::vector<RequestId>& decoded);
  bool prefill_some();
  bool embed_some(bool others_prefill);
  // A piece of a prompt in the decode call that runs.
  struct PrefillBlock {
    RunningGeneration* generation;
    uint32_t end;        // of it, in the prompt
    int32_t last_index;  // of its last token in the call
  };
  void prefill_blocks(const std::vector<RunningGeneration*>& generations);
  void take_block(const PrefillBlock& block);
  [[nodiscard]] DecodeOutcome run_decoder(std::optional<RequestId> owner);
  void fail_all(const std::vector<RequestId>& ids, DecodeOutcome outcome);
  void sample(RunningGeneration& generation, int32_t logits_index);
  [[nodiscard]] std::string text_of(const RunningGeneration& generation) const;
  [[nodiscard]] std::vector<int32_t> preserved_by(const GenerationTask& task) const;
  [[nodiscard]] std::optional<TokenLogprobs> logprobs_of(const RunningGeneration& generation, int32_t logits_index);
  void emit_token(RunningGeneration& generation);
  void finish(RequestId id, FinishReason reason);
  bool start_build();
  void begin_build(std::unique_ptr<StateBuilder> build);
  void build_block();
  void emit(const EngineEvent& event) { static_cast<void>(parts_.sink(event)); }
  [[nodiscard]] RunningGeneration* find(RequestId id) const;
  // Whoever waits longest first.
  [[nodiscard]] std::vector<RunningGeneration*> prefilling() const;
  [[nodiscard]] std::vector<RunningPrefix> running_prefixes() const;
  [[nodiscard]] ContextSettings build_settings() const;
  void remove(RequestId id, bool sound);
  void report_figures();
  [[nodiscard]] KvBufferSettings buffer_settings() const;

  Parts parts_;
  CancelSet cancelled_;
  Decoder decoder_;
  EngineSpeeds speeds_;
  KvBuffer buffer_;
  EngineFigures reported_;
  bool figures_due_ = false;  // a request ended, or prefixes moved
  RequestId restoring_ = 0;   // whose prefix is put into the buffer now
  std::deque<GenerationTask> waiting_;
  std::vector<Running> running_;
  std::deque<SaveStateTask> waiting_builds_;
  std::unique_ptr<StateBuilder> build_;
  Embedder embedder_;
  bool embedded_last_ = false;  // what prefills is next
  uint64_t build_turn_ = 0;
  uint64_t turn_ = 0;  // counts prefilled blocks
};

}  // namespace rockllama
