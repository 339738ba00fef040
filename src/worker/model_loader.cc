#include "worker/model_loader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/llama_cpp/llama_cpp_engine.h"
#include "engines/rkllm/byte_tokens.h"
#include "engines/rkllm/prompt_mode.h"
#include "engines/rkllm/rkllm_engine.h"
#include "engines/rkllm/rkllm_model.h"
#include "engines/scripted/scripted_engine.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {
namespace {

uint32_t embedding_tokens(const ModelSpec& spec, uint32_t context_tokens) {
  const uint32_t limit = spec.embedding.max_tokens;
  return limit == 0 ? context_tokens : std::min(limit, context_tokens);
}

PreparerModel preparer_of(const ModelSpec& spec, const Vocabulary& vocabulary, uint32_t context_tokens) {
  return {.tokenize_text = [vocabulary](std::string_view text) { return vocabulary.tokenize_text(text); },
          .tokenize_chat = [vocabulary](std::string_view text) { return vocabulary.tokenize_chat(text); },
          .chat_template = ChatTemplate::create(vocabulary.model(), spec.chat_template),
          .context_tokens = context_tokens,
          .block_tokens = spec.block_tokens,
          .vocabulary = vocabulary,
          .embedding_tokens = embedding_tokens(spec, context_tokens)};
}

WorkerModel worker_model(std::unique_ptr<Engine> engine, PreparerModel preparer) {
  LoadedModel description = engine->model();
  description.has_chat_template = preparer.chat_template.has_value();
  return {std::move(engine), std::move(preparer), std::move(description)};
}

Result<WorkerModel> load_llama_cpp(const ModelSpec& spec, LoadHooks hooks) {
  auto model = load_llama_model(spec);
  if (!model) return fail(model.error());
  auto engine = make_llama_cpp_engine(spec, *model, std::move(hooks.sink));
  if (!engine) return fail(engine.error());
  const uint32_t context_tokens = (*engine)->model().context_tokens;
  return worker_model(std::move(*engine), preparer_of(spec, Vocabulary(*model), context_tokens));
}

Result<WorkerModel> load_scripted(const ModelSpec& spec, LoadHooks hooks) {
  auto vocabulary = Vocabulary::load(spec.tokenizer_file);
  if (!vocabulary) return fail(vocabulary.error());
  auto engine = make_scripted_engine(spec, *vocabulary, {std::move(hooks.sink), std::move(hooks.send_garbage)});
  if (!engine) return fail(engine.error());
  const uint32_t context_tokens = (*engine)->model().context_tokens;
  return worker_model(std::move(*engine), preparer_of(spec, *vocabulary, context_tokens));
}

// Where the worker has no tokenizer, or the runtime renders prompts itself.
PreparerModel byte_preparer_of(const ModelSpec& spec, const llama_model* vocabulary, rkllm::PromptMode mode,
                               uint32_t context_tokens) {
  const auto bytes = [](std::string_view text) { return Result<std::vector<int32_t>>(rkllm::bytes_as_tokens(text)); };
  const bool native = mode == rkllm::PromptMode::kNative;
  return {.tokenize_text = bytes,
          .tokenize_chat = bytes,
          .chat_template = native ? ChatTemplate::create(nullptr, std::string(rkllm::native_template()))
                                  : ChatTemplate::create(vocabulary, spec.chat_template),
          .context_tokens = context_tokens,
          .block_tokens = spec.block_tokens,
          .counts_bytes = true,
          .embedding_tokens = embedding_tokens(spec, context_tokens)};
}

Result<WorkerModel> load_rkllm(const ModelSpec& spec, LoadHooks hooks) {
  std::optional<Vocabulary> vocabulary;
  if (!spec.tokenizer_file.empty()) {
    auto loaded = Vocabulary::load(spec.tokenizer_file);
    if (!loaded) return fail(loaded.error().code, "tokenizer.gguf: " + loaded.error().message);
    vocabulary = std::move(*loaded);
  }
  auto model = rkllm::load_rkllm_model(spec, {.has_tokenizer = vocabulary.has_value(),
                                              .has_template = vocabulary || !spec.chat_template.empty(),
                                              .template_source = spec.chat_template});
  if (!model) return fail(model.error());
  const rkllm::PromptMode mode = model->prompt.mode;
  const uint32_t context_tokens = model->context_tokens;
  auto engine = rkllm::make_rkllm_engine(spec, std::move(*model), std::move(hooks.sink));
  if (!engine) return fail(engine.error());
  const llama_model* known = vocabulary ? vocabulary->model() : nullptr;
  PreparerModel preparer = mode == rkllm::PromptMode::kTokens ? preparer_of(spec, *vocabulary, context_tokens)
                                                              : byte_preparer_of(spec, known, mode, context_tokens);
  // A run that fills the context to the last token may end the process.
  preparer.embedding_tokens = std::min(preparer.embedding_tokens, context_tokens - 1);
  return worker_model(std::move(*engine), std::move(preparer));
}

}  // namespace

Result<WorkerModel> load_worker_model(const ModelSpec& spec, LoadHooks hooks) {
  switch (spec.engine) {
    case EngineKind::kLlamaCpp:
      return load_llama_cpp(spec, std::move(hooks));
    case EngineKind::kScripted:
      return load_scripted(spec, std::move(hooks));
    case EngineKind::kRkllm:
      return load_rkllm(spec, std::move(hooks));
  }
  return fail(ErrorCode::kUnsupported, "This worker has no engine for such models.");
}

}  // namespace rockllama
