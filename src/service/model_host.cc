#include "service/model_host.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "service/state_name.h"

namespace rockllama {
namespace {

constexpr const char* kCrashes =
    "the model is left alone, because its process ended 5 times within a minute of loading it; it is tried again when "
    "somebody loads it or its file changes. The last time ";

}  // namespace

ModelHost::ModelHost(ServiceContext* context, ModelEntry entry)
    : context_(context),
      entry_(std::move(entry)),
      scheduler_(entry_.spec.parallel),
      states_(context->store, entry_.spec.name,
              [this](const protocol::KnownStates& states) {
                const std::lock_guard lock(mutex_);
                if (worker_) worker_->know_states(states);
              }),
      offers_(context, entry_.spec.name) {}

std::shared_ptr<ModelHost> ModelHost::make(ServiceContext* context, ModelEntry entry) {
  // The worker's end joins its threads, and one of them may hold the last reference.
  const auto destroy = [executor = context->executor](ModelHost* host) {
    auto owned = std::make_shared<std::unique_ptr<ModelHost>>(host);
    if (host->worker_) executor->post([owned = std::move(owned)] { owned->reset(); });
  };
  return {new ModelHost(context, std::move(entry)), destroy};
}

void ModelHost::begin(WarmUp warm_up) {
  warm_up_ = std::move(warm_up);
  if (const Status started = start_worker(); !started) give_up(started.error());
}

Status ModelHost::start_worker() {
  const auto file = context_->registry->file_info(entry_);
  if (!file) return fail(ErrorCode::kInternal, "the model could not be loaded: " + file.error().message);
  // The worker is stopped before the host dies, so events never come too late; the weak pointer covers the time
  // between.
  const auto sink = [weak = weak_from_this()](const WorkerEvent& event) {
    if (const auto host = weak.lock()) host->on_event(event);
  };
  const std::lock_guard lock(mutex_);  // on_ready waits until the scheduler knows its worker
  if (closed_) return {};
  file_ = *file;
  worker_ = context_->make_worker(entry_.spec, entry_.size_bytes, sink);
  scheduler_.set_worker(worker_.get());
  return {};
}

void ModelHost::on_event(const WorkerEvent& event) {
  if (const auto* ready = std::get_if<WorkerReady>(&event)) return on_ready(ready->model);
  if (const auto* offer = std::get_if<protocol::Offered>(&event)) return on_offered(*offer);
  if (is_kept_offer(event)) return run([self = shared_from_this(), event] { self->on_kept_offer(event); });
  if (const auto* figures = std::get_if<protocol::Figures>(&event)) {
    const std::lock_guard lock(mutex_);
    figures_ = figures->figures;
  }
  if (const auto* loss = std::get_if<WorkerLost>(&event)) on_lost(*loss);
  scheduler_.handle(event);
}

// The scheduler hears of it once it is known that these are the weights that the states belong to.
void ModelHost::on_ready(const LoadedModel& model) {
  int life = 0;
  {
    const std::lock_guard lock(mutex_);
    life = ++life_;
  }
  context_->executor->post([self = shared_from_this(), model, life] { self->verify(model, life); });
}

void ModelHost::verify(const LoadedModel& model, int life) {
  const auto fingerprint = fingerprint_of(model);
  // Before any request: what is known to exist is found by it.
  if (fingerprint) states_.begin(*fingerprint, model.capabilities.token_counts);
  bool first = false;
  Status status = fingerprint ? Status() : fail(fingerprint.error());
  {
    const std::lock_guard lock(mutex_);
    if (life != life_ || failure_) return;
    first = fingerprint_.empty();
    if (status) status = admit(model, *fingerprint);
  }
  if (!status) return give_up(status.error());
  if (first) warm_up_(shared_from_this(), [self = shared_from_this()] { self->finish({}); });
}

// The hash is that of the file that was loaded only if the file stayed the same from before the load until now.
Result<std::string> ModelHost::fingerprint_of(const LoadedModel& model) {
  const auto hash = context_->registry->file_hash(entry_);
  const auto file = context_->registry->file_info(entry_);
  if (!file || !(*file == file_)) {
    return fail({ErrorCode::kUnavailable, "the file of model " + entry_.spec.name + " was replaced; ask again", "", 1});
  }
  if (!hash) return tl::unexpected(hash.error());
  return to_hex(hash_bytes(*hash + "\n" + model.engine_fingerprint));
}

// Caller holds the mutex, so that a loss of this worker reaches the scheduler after this.
Status ModelHost::admit(const LoadedModel& model, const std::string& fingerprint) {
  if (!fingerprint_.empty() && fingerprint_ != fingerprint) {
    return fail({ErrorCode::kUnavailable, "the engine of model " + entry_.spec.name + " changed; ask again", "", 1});
  }
  model_ = model;
  fingerprint_ = fingerprint;
  scheduler_.handle(WorkerReady{model});
  return {};
}

void ModelHost::on_lost(const WorkerLost& loss) {
  spdlog::warn("model {}: its process ended: {}{}", entry_.spec.name, loss.reason,
               loss.final ? "" : "; it starts again");
  {
    const std::lock_guard lock(mutex_);
    ++life_;
  }
  states_.end();
  offers_.forget();
  if (!loss.restoring.empty()) quarantine(loss);
  if (!loss.final) return;
  const bool crashed = loss.kind != LossKind::kNoLoad;
  const std::string what = crashed ? kCrashes + loss.reason : "the model could not be loaded: " + loss.reason;
  give_up({ErrorCode::kInternal, what}, crashed);
}

// The model serves no more, perhaps after it had served for long: what waits for it hears so now.
void ModelHost::give_up(const Error& error, bool crashed) {
  {
    const std::lock_guard lock(mutex_);
    ready_ = false;
    if (!failure_) failure_ = ModelFailure{error, crashed, worker_ ? worker_->log().lines : std::vector<std::string>()};
  }
  tell_waiting(fail(error));
  scheduler_.close(error);
}

// A death by KILL is mostly lack of memory: only the second one in the same restore is held against the state.
void ModelHost::quarantine(const WorkerLost& loss) {
  int kills = 0;
  {
    const std::lock_guard lock(mutex_);
    kills = ++kills_[loss.restoring];
  }
  if (loss.kind == LossKind::kKilled && kills < 2) return;
  const std::string reason = "its restore ended the model's process: " + loss.reason;
  const auto name = parse_state_id(loss.restoring);
  const Status status =
      name ? context_->store->quarantine(name->model, name->cache, name->format, StateKey{.id = loss.restoring}, reason)
           : context_->store->quarantine_automatic(entry_.spec.name, loss.restoring, reason);
  spdlog::warn("model {}: state {} quarantined{}", entry_.spec.name, loss.restoring,
               status ? "" : ": " + status.error().message);
}

void ModelHost::on_offered(const protocol::Offered& offer) {
  run([self = shared_from_this(), offer] {
    auto answer = self->offers_.answer(offer, self->figures(), self->fingerprint());
    const std::lock_guard lock(self->mutex_);
    if (self->worker_) self->worker_->keep(answer.command, std::move(answer.file));
  });
}

bool ModelHost::is_kept_offer(const WorkerEvent& event) const {
  if (const auto* saved = std::get_if<protocol::StateSaved>(&event)) return offers_.owns(saved->id);
  const auto* failed = std::get_if<protocol::Failed>(&event);
  return failed != nullptr && offers_.owns(failed->id);
}

void ModelHost::on_kept_offer(const WorkerEvent& event) {
  if (const auto* saved = std::get_if<protocol::StateSaved>(&event)) offers_.saved(*saved);
  if (const auto* failed = std::get_if<protocol::Failed>(&event)) offers_.failed(*failed);
}

// Off the worker's thread, but for its end: then whoever ends it waits for that thread, and the executor may be busy
// with such waiting alone.
void ModelHost::run(std::function<void()> work) {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = closed_;
  }
  if (closed) return work();
  context_->executor->post(std::move(work));
}

void ModelHost::finish(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (ready_ || failure_) return;
    if (status) {
      ready_ = true;
    } else {
      failure_ = ModelFailure{.error = status.error()};
    }
  }
  tell_waiting(status);
}

void ModelHost::tell_waiting(const Status& status) {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const Done& done : waiting) done(status);
}

void ModelHost::when_ready(Done done) {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (!ready_ && !failure_) {
      waiting_.push_back(std::move(done));
      return;
    }
    if (failure_) status = fail(failure_->error);
  }
  done(status);
}

void ModelHost::close(const Error& error) {
  const std::lock_guard closing(closing_);
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  finish(fail(error));
  scheduler_.close(error);
  // Until it is gone it may offer what it holds, and is answered.
  ModelWorker* ending = nullptr;
  {
    const std::lock_guard lock(mutex_);
    ending = worker_.get();
  }
  if (ending != nullptr) ending->stop();
  std::unique_ptr<ModelWorker> ended;
  const std::lock_guard lock(mutex_);
  ended = std::move(worker_);
}

bool ModelHost::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}
std::optional<ModelFailure> ModelHost::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}
WorkerLog ModelHost::log() const {
  const std::lock_guard lock(mutex_);
  return worker_ ? worker_->log() : WorkerLog{};
}
LoadedModel ModelHost::model() const {
  const std::lock_guard lock(mutex_);
  return model_;
}
EngineFigures ModelHost::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}
std::string ModelHost::fingerprint() const {
  const std::lock_guard lock(mutex_);
  return fingerprint_;
}

}  // namespace rockllama
