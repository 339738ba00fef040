#include "engines/rkllm/runtime_jobs.h"

#include <utility>

#include "base/clock.h"
#include "engine/engine.h"

namespace rockllama::rkllm {
namespace {

Error trouble(const std::string& words) {
  return {ErrorCode::kInternal, "The RKLLM runtime could not save the prompt cache: " + words};
}

// What the runtime says of a model whose state it cannot save, and of a device without space.
Error save_error(Error error) {
  if (error.message.find("not support") != std::string::npos) error.code = ErrorCode::kUnsupported;
  if (error.message.find("No space left") != std::string::npos) error.code = ErrorCode::kNoSpace;
  return error;
}

}  // namespace

// Stale cells would stand before those of the state.
Status RuntimeJobs::load(const GenerationJob& job) {
  const auto path = files_.bring(job.state_file);
  if (!path) return fail(path.error());
  if (runtime_->features().clear_kv_cache) {
    if (Status cleared = runtime_->clear_kv_cache(); !cleared) return cleared;
  }
  return runtime_->load_prompt_cache(*path);
}

GenerationReport RuntimeJobs::generate(GenerationJob job) {
  GenerationReport report{.result = fail(cancelled_error())};
  if (job.state_file >= 0) {
    const double began_ms = steady_ms();
    const Status loaded = load(job);
    report.state_loaded = loaded.has_value();
    if (!loaded) report.state_problem = "the state could not be loaded: " + loaded.error().message;
    report.restore_ms = steady_ms() - began_ms;
    job.request.continue_kv = report.state_loaded;
  }
  if (job.may_go_on()) {
    report.result = runtime_->run(job.request, {.on_piece = std::move(job.on_piece)});
  }
  if (report.state_loaded) {
    // What cannot be released would stand before the next prompt.
    if (const Status released = runtime_->release_prompt_cache(); !released) report.result = fail(released.error());
  }
  return report;
}

Status RuntimeJobs::check_saved() {
  if (!files_.was_saved()) {
    return fail(ErrorCode::kUnsupported, "The RKLLM runtime wrote no prompt cache for this model.");
  }
  if (Status readable = runtime_->load_prompt_cache(files_.saved_path()); !readable) {
    return fail(ErrorCode::kIo, "The RKLLM runtime wrote a prompt cache that it cannot read again.");
  }
  return runtime_->release_prompt_cache();
}

Result<Embeddings> RuntimeJobs::embed(EmbeddingJob job) {
  Embeddings made;
  const auto take_rows = [&job](const HiddenLayer& layer) {
    job.pooler.add(layer.values, static_cast<size_t>(layer.width));
  };
  for (RunRequest& request : job.requests) {
    if (!job.may_go_on()) return fail(cancelled_error());
    request.mode = InferMode::kLastHiddenLayer;
    const auto result = runtime_->run(request, {.on_hidden_layer = take_rows});
    if (!result) return fail(result.error());
    if (result->aborted) return fail(cancelled_error());
    if (job.pooler.tokens() == 0) {
      return fail(ErrorCode::kUnsupported, "The RKLLM runtime gave no hidden states of this model.");
    }
    made.prompt_tokens += job.pooler.tokens();
    made.vectors.push_back(job.pooler.take());
    job.on_progress(made.prompt_tokens);
  }
  return made;
}

Result<SaveReport> RuntimeJobs::save(SaveJob job) {
  if (!job.may_go_on()) return fail(cancelled_error());
  files_.drop_saved();
  job.request.save_cache_path = files_.saved_path();
  const double began_ms = steady_ms();
  SaveReport report;
  const auto result = runtime_->run(job.request, {.on_piece = [&](const Piece&) {
                                      if (report.first_token_ms == 0) report.first_token_ms = steady_ms() - began_ms;
                                      return false;
                                    }});
  // Without a first token the prefix may not be whole.
  const bool whole = report.first_token_ms > 0;
  Status saved = result ? Status() : fail(save_error(result.error()));
  if (saved && !whole) saved = fail(cancelled_error());
  if (saved && !result->trouble.empty()) saved = fail(save_error(trouble(result->trouble)));
  if (saved) saved = check_saved();
  const auto bytes = saved ? files_.hand_over(job.file) : Result<uint64_t>(fail(saved.error()));
  files_.drop_saved();
  if (!bytes) return fail(bytes.error());
  report.bytes = *bytes;
  report.perf = result->perf;
  return report;
}

}  // namespace rockllama::rkllm
