#include "service/question_flow.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "service/model_choice.h"
#include "service/ready_wait.h"

namespace rockllama {
namespace {

constexpr double kShortestWaitMs = 10;

}  // namespace

QuestionFlow::QuestionFlow(ServiceContext* context, QuestionRequest request, QuestionSink sink)
    : context_(context), request_(std::move(request)), sink_(std::move(sink)) {}

void QuestionFlow::begin() {
  context_->executor->post([self = shared_from_this()] { self->find_model(); });
}

void QuestionFlow::find_model() {
  auto choice = choose_model(context_, request_.model);
  if (!choice) return end(fail(choice.error()));
  model_ = choice->entry.spec.name;
  const auto abandoned = [self = shared_from_this()] { return self->ended(); };
  const auto acquired = [self = shared_from_this()](Result<ModelLease> lease) {
    if (!lease) return self->end(fail(lease.error()));
    self->context_->executor->post([self, lease = std::move(*lease)] { self->submit(lease); });
  };
  context_->pool->acquire(choice->entry, acquired, abandoned);
}

void QuestionFlow::submit(const ModelLease& lease) {
  const RequestId id = context_->next_id();
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    lease_ = lease;
    id_ = id;
    submitted_ms_ = steady_ms();
  }
  check_wait_after(context_->options.load_timeout_s * 1000);
  lease->scheduler().ask(
      {id, std::move(request_.question)}, [self = shared_from_this()](const JobEvent& event) { self->on_event(event); },
      request_.caller);
  if (ended()) lease->scheduler().cancel(id);  // a cancel that came before the scheduler knew the question
}

void QuestionFlow::check_wait_after(double wait_ms) {
  context_->executor->post_after(static_cast<int64_t>(std::ceil(wait_ms)), [weak = weak_from_this()] {
    if (const auto flow = weak.lock()) flow->check_wait();
  });
}

void QuestionFlow::check_wait() {
  double left_ms = 0;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    left_ms = remaining_wait_ms(lease_->scheduler().not_ready_since_ms(), submitted_ms_, steady_ms(),
                                context_->options.load_timeout_s * 1000);
  }
  if (left_ms > 0) return check_wait_after(std::max(left_ms, kShortestWaitMs));
  end(fail({ErrorCode::kUnavailable, "model " + model_ + " is not ready", "", 5}));
}

void QuestionFlow::on_event(const JobEvent& event) {
  if (const auto* answered = std::get_if<protocol::Answered>(&event)) {
    end(QuestionDone{model_, answered->answer});
  } else if (const auto* error = std::get_if<Error>(&event)) {
    end(fail(*error));
  }
}

bool QuestionFlow::ended() {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void QuestionFlow::cancel() { end(fail(ErrorCode::kCancelled, "cancelled")); }

// Once; what the worker still does for it is cancelled.
void QuestionFlow::end(Result<QuestionDone> result) {
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    lease = std::move(lease_);
  }
  if (lease && !result) lease->scheduler().cancel(id_);
  sink_(std::move(result));
}

}  // namespace rockllama
