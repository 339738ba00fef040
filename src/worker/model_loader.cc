#include "worker/model_loader.h"

#include <utility>

#include "engines/llama_cpp/llama_cpp_engine.h"
#include "engines/scripted/scripted_engine.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {
namespace {

struct EngineWithVocabulary {
  std::unique_ptr<Engine> engine;
  Vocabulary vocabulary;
};

Result<EngineWithVocabulary> load_llama_cpp(const ModelSpec& spec, LoadHooks hooks) {
  auto model = load_llama_model(spec);
  if (!model) return fail(model.error());
  auto engine = make_llama_cpp_engine(spec, *model, std::move(hooks.sink));
  if (!engine) return fail(engine.error());
  return EngineWithVocabulary{std::move(*engine), Vocabulary(*model)};
}

Result<EngineWithVocabulary> load_scripted(const ModelSpec& spec, LoadHooks hooks) {
  auto vocabulary = Vocabulary::load(spec.tokenizer_file);
  if (!vocabulary) return fail(vocabulary.error());
  auto engine = make_scripted_engine(spec, *vocabulary, {std::move(hooks.sink), std::move(hooks.send_garbage)});
  if (!engine) return fail(engine.error());
  return EngineWithVocabulary{std::move(*engine), std::move(*vocabulary)};
}

Result<EngineWithVocabulary> load_engine(const ModelSpec& spec, LoadHooks hooks) {
  switch (spec.engine) {
    case EngineKind::kLlamaCpp:
      return load_llama_cpp(spec, std::move(hooks));
    case EngineKind::kScripted:
      return load_scripted(spec, std::move(hooks));
    case EngineKind::kRkllm:
      break;
  }
  return fail(ErrorCode::kUnsupported,
              std::string("This worker has no engine for ") + to_string(spec.engine) + " models.");
}

}  // namespace

Result<WorkerModel> load_worker_model(const ModelSpec& spec, LoadHooks hooks) {
  auto loaded = load_engine(spec, std::move(hooks));
  if (!loaded) return fail(loaded.error());
  const Vocabulary vocabulary = loaded->vocabulary;
  LoadedModel description = loaded->engine->model();
  PreparerModel preparer{
      .tokenize_text = [vocabulary](std::string_view text) { return vocabulary.tokenize_text(text); },
      .tokenize_chat = [vocabulary](std::string_view text) { return vocabulary.tokenize_chat(text); },
      .chat_template = ChatTemplate::create(vocabulary.model(), spec.chat_template),
      .context_tokens = description.context_tokens,
      .block_tokens = spec.block_tokens};
  description.has_chat_template = preparer.chat_template.has_value();
  return WorkerModel{std::move(loaded->engine), std::move(preparer), std::move(description)};
}

}  // namespace rockllama
