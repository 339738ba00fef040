#include "engines/llama_cpp/llama_cpp_engine.h"

#include <string>

#include "engines/llama_cpp/cpu_threads.h"
#include "engines/llama_cpp/engine_loop.h"

namespace rockllama {
namespace {

LoadedModel describe(const ModelSpec& spec, const EngineSettings& settings, const llama_model* model) {
  LoadedModel loaded;
  loaded.capabilities = {.max_parallel = settings.parallel,
                         .token_counts = true,
                         .per_request_sampling = true,
                         .seed = true,
                         .grammar = true,
                         .logprobs = true,
                         .state_save = true};
  loaded.context_tokens = settings.context_tokens;
  loaded.trained_context_tokens = static_cast<uint32_t>(llama_model_n_ctx_train(model));
  loaded.kv_bytes_per_token = kv_bytes_per_token(model);
  loaded.engine_version = std::string("llama.cpp ") + llama_version();
  loaded.engine_fingerprint = engine_fingerprint(settings, model);
  loaded.has_chat_template = !spec.chat_template.empty() || llama_model_chat_template(model, nullptr) != nullptr;
  return loaded;
}

}  // namespace

Result<std::unique_ptr<Engine>> make_llama_cpp_engine(const ModelSpec& spec, std::shared_ptr<llama_model> model,
                                                      EngineSink sink, LlamaEngineOptions options) {
  const ModelShape shape{.trained_tokens = static_cast<uint32_t>(llama_model_n_ctx_train(model.get())),
                         .kv_bytes_per_token = kv_bytes_per_token(model.get())};
  const EngineSettings settings = settle(spec, shape, performance_cores(), options.idle_residents);
  Result<LlamaContext> context = make_context(model.get(), {.cells = settings.kv_cells,
                                                            .sequences = settings.sequences(),
                                                            .batch_tokens = settings.batch_tokens(),
                                                            .threads = settings.threads});
  if (!context) return fail(context.error());
  const Result<StateLayout> layout = learn_layout(context->get());
  if (!layout) return fail(layout.error());
  LoadedModel loaded = describe(spec, settings, model.get());
  return std::make_unique<LlamaCppEngine>(LlamaCppEngine::Parts{.vocabulary = Vocabulary(std::move(model)),
                                                                .context = std::move(*context),
                                                                .settings = settings,
                                                                .layout = *layout,
                                                                .sampling_defaults = spec.sampling_defaults,
                                                                .embedding = spec.embedding,
                                                                .loaded = std::move(loaded),
                                                                .sink = std::move(sink),
                                                                .options = std::move(options)});
}

}  // namespace rockllama
