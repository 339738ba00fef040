#include "scheduler/scheduler.h"

#include <utility>

#include "base/clock.h"

namespace rockllama {
namespace {

Error lost_error(const WorkerLost& loss, bool alone) {
  std::string message = "the model's process ended while it worked on this request: " + loss.reason;
  if (alone) message = "this request ended the model's process twice: " + loss.reason;
  return Error{ErrorCode::kInternal, std::move(message)};
}

}  // namespace

Scheduler::Scheduler(uint32_t parallel) : queue_(parallel), not_ready_since_ms_(steady_ms()) {}

void Scheduler::set_worker(ModelWorker* worker) {
  const std::lock_guard lock(mutex_);
  worker_ = worker;
}

void Scheduler::submit(protocol::Prepare command, JobSink sink, JobOptions options) {
  const RequestId id = command.id;
  const auto job = std::make_shared<Job>(std::move(command), UniqueFd(), 0, std::move(sink));
  job->buffered = options.buffered;
  add(id, RequestQueue::Kind::kGeneration, job, std::move(options.origin));
}

void Scheduler::save_state(protocol::SaveState command, UniqueFd file, JobSink sink, std::optional<LentState> lent) {
  const RequestId id = command.id;
  auto job = std::make_shared<Job>(std::move(command), std::move(file), 0, std::move(sink));
  job->lent = std::move(lent);
  add(id, RequestQueue::Kind::kSaveState, job, {});
}

void Scheduler::ask(protocol::Ask command, JobSink sink, std::string caller) {
  const RequestId id = command.id;
  add(id, RequestQueue::Kind::kQuestion, std::make_shared<Job>(std::move(command), UniqueFd(), 0, std::move(sink)),
      {.caller = std::move(caller)});
}

void Scheduler::add(RequestId id, RequestQueue::Kind kind, const std::shared_ptr<Job>& job, RequestOrigin origin) {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = worker_ == nullptr;
    if (!closed) {
      queue_.add(id, kind, std::move(origin));
      jobs_.emplace(id, job);
    }
  }
  if (closed) {
    give(*job, Error{ErrorCode::kUnavailable, "the model is being unloaded", "", 1}, true);
    return;
  }
  send_next();
}

void Scheduler::start(RequestId id, UniqueFd state, uint32_t credit) {
  {
    const std::lock_guard lock(mutex_);
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) return;
    job->second->file = std::move(state);
    job->second->credit = credit;
    queue_.startable(id);
  }
  send_next();
}

// The worker's calls only queue, so they may run under the lock: the order of commands is the order of decisions.
void Scheduler::send_next() {
  const std::lock_guard lock(mutex_);
  if (worker_ == nullptr) return;
  for (const RequestQueue::Action& action : queue_.next()) perform(action, jobs_.at(action.id).get());
}

void Scheduler::perform(const RequestQueue::Action& action, Job* job) {
  switch (action.verb) {
    case RequestQueue::Verb::kPrepare:
      worker_->prepare(std::get<protocol::Prepare>(job->command));
      break;
    case RequestQueue::Verb::kStart:
      worker_->start({action.id, job->credit}, std::move(job->file));
      break;
    case RequestQueue::Verb::kSave:
      if (job->lent) worker_->lend({action.id, job->lent->key}, std::move(job->lent->file));
      worker_->save_state(std::get<protocol::SaveState>(job->command), std::move(job->file));
      break;
    case RequestQueue::Verb::kAsk:
      worker_->ask(std::get<protocol::Ask>(job->command));
      break;
  }
}

void Scheduler::cancel(RequestId id) {
  {
    const std::lock_guard lock(mutex_);
    if (worker_ != nullptr && jobs_.contains(id)) worker_->cancel(id);
  }
  deliver(id, Error{ErrorCode::kCancelled, "cancelled"}, true);
  send_next();
}

void Scheduler::add_credit(RequestId id, uint32_t tokens) {
  const std::lock_guard lock(mutex_);
  if (worker_ != nullptr && jobs_.contains(id)) worker_->add_credit(id, tokens);
}

void Scheduler::deliver(RequestId id, const JobEvent& event, bool last) {
  std::shared_ptr<Job> job;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    job = found->second;
    if (last) {
      queue_.remove(id);
      jobs_.erase(found);
    } else if (std::holds_alternative<protocol::Prepared>(event)) {
      queue_.prepared(id);
    } else if (const auto* tokens = std::get_if<protocol::Tokens>(&event);
               tokens != nullptr && !tokens->piece.says_nothing()) {
      if (!job->buffered && !std::exchange(job->begun, true)) queue_.begun(id);
    }
  }
  give(*job, event, last);
}

void Scheduler::give(Job& job, const JobEvent& event, bool last) {
  const std::lock_guard lock(job.delivering);
  if (job.ended) return;
  job.ended = last;
  job.sink(event);
}

void Scheduler::ready(const WorkerReady& worker) {
  const std::lock_guard lock(mutex_);
  queue_.set_parallel(worker.model.capabilities.max_parallel);
  queue_.worker_ready();
  not_ready_since_ms_.reset();
}

void Scheduler::lost(const WorkerLost& loss) {
  RequestQueue::Loss ended;
  {
    const std::lock_guard lock(mutex_);
    ended = queue_.worker_lost();
    if (!not_ready_since_ms_) not_ready_since_ms_ = steady_ms();
  }
  for (const RequestId id : ended.begun) deliver(id, lost_error(loss, false), true);
  for (const RequestId id : ended.saving) deliver(id, SaveLost{loss, ended.one_alone}, true);
  for (const RequestId id : ended.exhausted) deliver(id, lost_error(loss, true), true);
}

void Scheduler::handle(const WorkerEvent& event) {
  // Most events are tokens, and make no room for others.
  const bool makes_room = std::visit(
      [this](const auto& e) {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, WorkerReady>) {
          ready(e);
        } else if constexpr (std::is_same_v<E, WorkerLost>) {
          lost(e);
        } else if constexpr (std::is_same_v<E, protocol::Failed>) {
          deliver(e.id, Error{e.code, e.message, e.param}, true);
        } else if constexpr (std::is_same_v<E, protocol::Finished> || std::is_same_v<E, protocol::StateSaved> ||
                             std::is_same_v<E, protocol::Answered>) {
          deliver(e.id, e, true);
        } else {
          if constexpr (requires { e.id; } && !std::is_same_v<E, protocol::Restoring>) deliver(e.id, e, false);
          return false;
        }
        return true;
      },
      event);
  if (makes_room) send_next();
}

void Scheduler::close(const Error& error) {
  Jobs jobs;
  {
    const std::lock_guard lock(mutex_);
    worker_ = nullptr;
    jobs.swap(jobs_);
    for (const auto& [id, job] : jobs) queue_.remove(id);
  }
  for (const auto& [id, job] : jobs) give(*job, error, true);
}

size_t Scheduler::active() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

std::optional<double> Scheduler::not_ready_since_ms() const {
  const std::lock_guard lock(mutex_);
  return not_ready_since_ms_;
}

}  // namespace rockllama
