#include "service/model_host.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "service/state_name.h"

namespace rockllama {

ModelHost::ModelHost(ServiceContext* context, ModelEntry entry)
    : context_(context), entry_(std::move(entry)), scheduler_(entry_.spec.parallel) {}

void ModelHost::begin(WarmUp warm_up) {
  warm_up_ = std::move(warm_up);
  // The worker is stopped before the host dies, so events never come too late; the weak pointer covers the time
  // between.
  const auto sink = [weak = weak_from_this()](const WorkerEvent& event) {
    if (const auto host = weak.lock()) host->on_event(event);
  };
  const std::lock_guard lock(mutex_);  // on_ready waits until the scheduler knows its worker
  worker_ = context_->make_worker(entry_.spec, entry_.size_bytes, sink);
  scheduler_.set_worker(worker_.get());
}

void ModelHost::on_event(const WorkerEvent& event) {
  if (const auto* loss = std::get_if<WorkerLost>(&event)) on_lost(*loss);
  scheduler_.handle(event);
  if (const auto* ready = std::get_if<WorkerReady>(&event)) on_ready(ready->model);
}

void ModelHost::on_ready(const LoadedModel& model) {
  {
    const std::lock_guard lock(mutex_);
    model_ = model;
    if (ready_ || preparing_) return;
    preparing_ = true;
  }
  context_->executor->post([self = shared_from_this(), model] {
    const auto hash = self->context_->registry->file_hash(self->entry_);
    if (!hash) return self->finish(tl::unexpected(hash.error()));
    {
      const std::lock_guard lock(self->mutex_);
      self->fingerprint_ = to_hex(hash_bytes(*hash + "\n" + model.engine_fingerprint));
    }
    self->warm_up_(self, [self] { self->finish({}); });
  });
}

void ModelHost::on_lost(const WorkerLost& loss) {
  spdlog::warn("model {}: its process ended: {}{}", entry_.spec.name, loss.reason,
               loss.final ? "" : "; it starts again");
  if (!loss.restoring.empty()) quarantine(loss);
  if (loss.final) give_up({ErrorCode::kInternal, "the model could not be loaded: " + loss.reason});
}

// The worker does not start again, perhaps after it had served for long: what waits for it hears so now.
void ModelHost::give_up(const Error& error) {
  finish(fail(error));
  {
    const std::lock_guard lock(mutex_);
    ready_ = false;
    failure_ = error;
  }
  scheduler_.close(error);
}

// A death by KILL is mostly lack of memory: only the second one in the same restore is held against the state.
void ModelHost::quarantine(const WorkerLost& loss) {
  int kills = 0;
  {
    const std::lock_guard lock(mutex_);
    kills = ++kills_[loss.restoring];
  }
  const auto name = parse_state_id(loss.restoring);
  if (!name || (loss.kind == LossKind::kKilled && kills < 2)) return;
  const auto status =
      context_->store->quarantine(name->model, name->cache, name->format, StateKey{.id = loss.restoring},
                                  "its restore ended the model's process: " + loss.reason);
  spdlog::warn("model {}: state of cache {} quarantined{}", entry_.spec.name, name->cache,
               status ? "" : ": " + status.error().message);
}

void ModelHost::finish(Status status) {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (ready_ || failure_) return;
    if (status) {
      ready_ = true;
    } else {
      failure_ = status.error();
    }
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
    if (failure_) status = fail(*failure_);
  }
  done(status);
}

void ModelHost::close(const Error& error) {
  finish(fail(error));
  scheduler_.close(error);
  std::unique_ptr<ModelWorker> worker;
  {
    const std::lock_guard lock(mutex_);
    worker = std::move(worker_);
  }
  if (worker) worker->stop();
}

bool ModelHost::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}
std::optional<Error> ModelHost::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}
LoadedModel ModelHost::model() const {
  const std::lock_guard lock(mutex_);
  return model_;
}
std::string ModelHost::fingerprint() const {
  const std::lock_guard lock(mutex_);
  return fingerprint_;
}

}  // namespace rockllama
