#include "engines/llama_cpp/engine_loop.h"

#include <algorithm>

#include "base/clock.h"
#include "engine/cut_plan.h"

namespace rockllama {
namespace {

template <class Tasks>
bool erase_task(Tasks& tasks, RequestId id) {
  return std::erase_if(tasks, [id](const auto& task) { return task.id == id; }) != 0;
}

}  // namespace

LlamaCppEngine::LlamaCppEngine(Parts parts)
    : parts_(std::move(parts)),
      decoder_(parts_.context.get(), &cancelled_),
      buffer_(parts_.context.get(), buffer_settings(), &speeds_,
              {.before_restore =
                   [this](const std::string& id) {
                     emit(RestoreBegins{restoring_, id});
                   },
               .offer = [this](const PrefixOffered& offered) { emit(offered); }}),
      embedder_(parts_.vocabulary.model(), parts_.embedding, parts_.settings.threads, &cancelled_) {}

KvBufferSettings LlamaCppEngine::buffer_settings() const {
  const EngineSettings& settings = parts_.settings;
  return {.limits = {.cells = settings.kv_cells,
                     .generations = settings.parallel,
                     .idle_residents = settings.idle_residents},
          .block_tokens = settings.block_tokens,
          .layout = parts_.layout,
          .automatic = {.enabled = settings.automatic_reuse,
                        .memory_bytes = settings.automatic_memory_bytes,
                        .offer_evicted = settings.offer_evicted,
                        .whole_only = !states_can_be_cut(parts_.vocabulary.model())}};
}

void LlamaCppEngine::start(GenerationTask task) { waiting_.push_back(std::move(task)); }

void LlamaCppEngine::save_state(SaveStateTask task) { waiting_builds_.push_back(std::move(task)); }

void LlamaCppEngine::add_credit(RequestId id, uint32_t tokens) {
  const auto add = [tokens](uint32_t& credit) { credit += std::min(tokens, UINT32_MAX - credit); };
  if (RunningGeneration* generation = find(id)) add(generation->task.credit);
  for (GenerationTask& task : waiting_) {
    if (task.id == id) add(task.credit);
  }
}

bool LlamaCppEngine::step() {
  bool worked = drop_cancelled();
  worked = admit_waiting() || worked;
  worked = decode_tokens() || worked;
  worked = prefill_some() || worked;
  // Copied while there is nothing else to do, so that the next request need not wait for it.
  if (!worked && buffer_.copy_one()) worked = figures_due_ = true;
  report_figures();
  return worked;
}

bool LlamaCppEngine::drop_cancelled() {
  const std::set<RequestId> ids = cancelled_.take();
  for (const RequestId id : ids) drop(id, cancelled_error());
  return !ids.empty();
}

// Ends a task in any phase, if there is one of this id.
void LlamaCppEngine::drop(RequestId id, const Error& error) {
  bool known = erase_task(waiting_, id) || erase_task(waiting_builds_, id) || embedder_.drop(id);
  if (find(id) != nullptr) {
    remove(id, error.code == ErrorCode::kCancelled);
    known = true;
  }
  if (build_ && build_->id() == id) {
    build_.reset();
    known = true;
  }
  if (known) emit(TaskFailed{id, error});
}

// `sound`: what is in its cells can be used again.
void LlamaCppEngine::remove(RequestId id, bool sound) {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [id](const Running& r) { return r->task.id == id; });
  const Running ended = std::move(*found);
  figures_due_ = true;
  running_.erase(found);
  if (sound && ended->done > ended->placement.cache.tokens) {
    buffer_.keep(ended->placement.sequence, ended->left_behind(), ended->placement.at_cell_zero);
  } else {
    buffer_.release(ended->placement.sequence);
  }
}

RunningGeneration* LlamaCppEngine::find(RequestId id) const {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [id](const Running& r) { return r->task.id == id; });
  return found == running_.end() ? nullptr : found->get();
}

// In order: nobody overtakes the first for which there is no room, or a long prompt would wait for ever. Who waits for
// a prefix that another one prefills holds nobody up.
bool LlamaCppEngine::admit_waiting() {
  bool worked = false;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const bool valid =
        next->max_tokens > 0 && cuts_are_valid(next->cuts, next->tokens.size(), parts_.settings.batch_tokens());
    const KvBuffer::Admission admission =
        valid ? buffer_.consider(*next, running_prefixes()) : KvBuffer::Admission{.fit = Fit::kNever};
    if (admission.follows) {
      ++next;
      continue;
    }
    if (admission.fit == Fit::kLater) break;
    GenerationTask task = std::move(*next);
    next = waiting_.erase(next);
    worked = true;
    if (!valid) {
      emit(TaskFailed{task.id, {ErrorCode::kInternal, "The prompt is not cut into blocks of the engine."}});
    } else if (admission.fit == Fit::kNever) {
      emit(TaskFailed{task.id, {ErrorCode::kContextLengthExceeded, "Prompt and answer do not fit the KV buffer."}});
    } else {
      admit(std::move(task), admission.choice);
    }
  }
  return worked;
}

std::vector<RunningPrefix> LlamaCppEngine::running_prefixes() const {
  std::vector<RunningPrefix> prefixes;
  for (const Running& one : running_) {
    prefixes.push_back({one->placement.sequence, one->task.tokens, one->task.cuts, one->done, one->task.salt});
  }
  return prefixes;
}

std::vector<int32_t> LlamaCppEngine::preserved_by(const GenerationTask& task) const {
  std::vector<int32_t> tokens;
  for (const std::string& text : task.preserved_tokens) {
    const std::vector<int32_t> ids = parts_.vocabulary.tokens_of(text);
    if (ids.size() == 1) tokens.push_back(ids.front());
  }
  return tokens;
}

void LlamaCppEngine::admit(GenerationTask task, const PrefixChoice& choice) {
  std::optional<GrammarSampler> grammar;
  if (!task.grammar.rules.empty()) {
    auto made = GrammarSampler::create(task.grammar, parts_.vocabulary);
    if (!made) return emit(TaskFailed{task.id, made.error()});
    grammar = std::move(*made);
  }
  restoring_ = task.id;
  figures_due_ = true;
  Placement placement = buffer_.place(task, choice);
  if (task.prefix) task.prefix->file.reset();
  Sampler sampler(merged(task.sampling, parts_.sampling_defaults), parts_.vocabulary.size(), task.tokens);
  if (grammar) sampler.follow(std::move(*grammar));
  std::vector<int32_t> preserved = preserved_by(task);
  task.cuts = placement.cuts;
  auto generation = std::make_unique<RunningGeneration>(RunningGeneration{.task = std::move(task),
                                                                          .placement = std::move(placement),
                                                                          .sampler = std::move(sampler),
                                                                          .preserved = std::move(preserved)});
  const std::vector<uint32_t>& cuts = generation->task.cuts;
  generation->done = generation->placement.cache.tokens;
  generation->next_cut =
      static_cast<size_t>(std::upper_bound(cuts.begin(), cuts.end(), generation->done) - cuts.begin());
  generation->started_ms = steady_ms();
  const GenerationStarted started{generation->task.id, generation->placement.cache};
  running_.push_back(std::move(generation));
  if (running_.size() > 1) {
    for (const Running& one : running_) one->placement.at_cell_zero = false;
  }
  emit(started);
}

}  // namespace rockllama
