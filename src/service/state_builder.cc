#include "service/state_builder.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/clock.h"

namespace rockllama {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
// A failed rebuild is tried again at a later use: the disk may have space again, and what killed the worker may have
// been another request. If it was this one, the pauses (5 s to 43 min) keep the damage small.
constexpr double kFirstPauseMs = 5000;
constexpr uint32_t kMostDoublings = 9;

Error save_crashed(const std::string& reason) {
  return {ErrorCode::kUnsupported, "saving a state ended the process of this runtime and model (" + reason +
                                       "), so it is not tried again unless retry_binary asks for it"};
}

bool is_no_failure(ErrorCode code) { return code == ErrorCode::kConflict || code == ErrorCode::kCancelled; }

// KILL is lack of memory, mostly, and says nothing of the runtime. An RKLLM runtime does one thing at a time.
Error what_came_of(const SaveLost& lost, const ModelHost& host, SaveCrashes* crashes) {
  const std::string& reason = lost.loss.reason;
  const bool counts = lost.loss.kind == LossKind::kCrash || lost.loss.kind == LossKind::kHang;
  const bool certain = lost.alone && host.entry().spec.engine == EngineKind::kRkllm;
  if (!counts || !crashes->note_crash(host.fingerprint(), reason, certain)) {
    return {ErrorCode::kInternal, "the model's process ended while it saved the state: " + reason};
  }
  spdlog::warn("model {}: no states are saved any more, because that ends its process: {}", host.entry().spec.name,
               reason);
  return save_crashed(reason);
}

// The events of one save, on the worker's thread.
struct Save {
  StateBuilder::Order order;
  StateBuilder::OnProgress progress;
  StateBuilder::Built built;
  PendingState payload;
  SaveCrashes* crashes;

  void on_event(const JobEvent& event) {
    if (const auto* step = std::get_if<protocol::Progress>(&event); step != nullptr && progress) {
      progress(step->done_tokens, step->total_tokens);
    } else if (const auto* saved = std::get_if<protocol::StateSaved>(&event)) {
      const ModelHost& host = *order.host;
      crashes->note_saved(host.fingerprint());
      built(NewState{std::move(payload), order.format, to_string(host.entry().spec.engine), host.fingerprint(),
                     saved->state, order.line});
    } else if (const auto* lost = std::get_if<SaveLost>(&event)) {
      built(fail(what_came_of(*lost, *order.host, crashes)));
    } else if (const auto* error = std::get_if<Error>(&event)) {
      { const PendingState removed = std::move(payload); }  // on a full disk the text needs its room
      built(tl::unexpected(*error));
    }
  }
};

}  // namespace

bool may_pass(ErrorCode code) {
  return code != ErrorCode::kUnsupported && code != ErrorCode::kContextLengthExceeded &&
         code != ErrorCode::kInvalidArgument && code != ErrorCode::kModelNotFound;
}

void StateBuilder::build(Order order, OnProgress progress, Built built) {
  if (!order.host->model().capabilities.state_save) {
    return built(fail(ErrorCode::kUnsupported, "this model's engine cannot save states"));
  }
  const auto known = context_->store->save_crashes().reason(order.host->fingerprint());
  if (known && !order.retry) return built(fail(save_crashed(*known)));
  auto payload = context_->store->begin_state(order.host->entry().spec.name, order.name, order.format);
  if (!payload) return built(tl::unexpected(payload.error()));
  UniqueFd file = payload->take_fd();
  const protocol::SaveState command{context_->next_id(), order.format, order.line};
  Scheduler& scheduler = order.host->scheduler();
  std::optional<LentState> lent = lend(order);
  const ModelSpec& spec = order.host->entry().spec;
  const BuildingStates::Build made{spec.name, order.name, to_string(spec.engine), order.format, unix_seconds()};
  building_.begin(made);
  const auto ended = [this, made, built = std::move(built)](Result<NewState> state) {
    building_.end(made);
    built(std::move(state));
  };
  auto save = std::make_shared<Save>(
      Save{std::move(order), std::move(progress), ended, std::move(*payload), &context_->store->save_crashes()});
  // Off the worker's thread: what follows a state is hashing and file calls.
  const auto on_event = [save, executor = context_->executor](const JobEvent& event) {
    if (std::holds_alternative<protocol::Progress>(event)) return save->on_event(event);
    executor->post([save, event] { save->on_event(event); });
  };
  scheduler.save_state(command, std::move(file), on_event, std::move(lent));
}

// The ready state of the nearest cache that this one continues.
std::optional<LentState> StateBuilder::lend(const Order& order) const {
  const std::string& model = order.host->entry().spec.name;
  std::string name = order.parent;
  for (size_t depth = 1; depth < order.line.size() && !name.empty(); ++depth) {
    const auto reference = context_->store->reference(model, name, order.format, order.host->fingerprint());
    if (reference && reference->state) {
      auto opened = context_->store->open_state(model, name, order.format, *reference->state);
      if (opened) return LentState{*reference->state, std::move(opened->file)};
    }
    const auto info = context_->store->find(model, name, "");
    name = info ? info->parent : "";
  }
  return std::nullopt;
}

void StateBuilder::rebuild(const std::shared_ptr<ModelHost>& host, const std::string& name, StateFormat format,
                           std::shared_ptr<void> keep) {
  context_->executor->post([this, host, name, format, keep = std::move(keep)] {
    const std::string& model = host->entry().spec.name;
    const auto reference = context_->store->reference(model, name, format, host->fingerprint());
    const auto text = context_->store->text(model, name);
    const auto info = context_->store->find(model, name, "");
    if (!reference || reference->state || !text || !info) return;
    if (context_->store->save_crashes().reason(host->fingerprint())) return;
    const std::string key =
        model + "/" + name + "/" + to_string(format) + "/" + to_hex(hash_bytes(*text)) + "/" + host->fingerprint();
    if (!begin(key)) return;
    rebuild_now({host, name, info->parent, *text, reference->line, format}, key, keep);
  });
}

void StateBuilder::rebuild_now(const Order& order, const std::string& key, std::shared_ptr<void> keep) {
  const std::string model = order.host->entry().spec.name;
  build(order, {}, [this, order, key, model, keep = std::move(keep)](Result<NewState> state) {
    Status status;
    if (state) {
      std::vector<NewState> states;
      states.push_back(std::move(*state));
      status = context_->store->add_states(model, order.name, order.text, std::move(states));
    } else {
      status = fail(state.error());
    }
    end(key, status);
    spdlog::info("cache {}/{}: {} state {}", model, order.name, to_string(order.format),
                 status ? "rebuilt" : "not rebuilt: " + status.error().message);
  });
}

bool StateBuilder::begin(const std::string& key) {
  const std::lock_guard lock(mutex_);
  Attempt& attempt = attempts_[key];
  if (steady_ms() < attempt.not_before_ms) return false;
  attempt.not_before_ms = kNever;
  return true;
}

void StateBuilder::end(const std::string& key, const Status& status) {
  const std::lock_guard lock(mutex_);
  const auto attempt = attempts_.find(key);
  // A text that changed meanwhile is no failure of this key: the new text has another.
  if (status || is_no_failure(status.error().code)) {
    attempts_.erase(attempt);
  } else if (may_pass(status.error().code)) {
    const uint32_t doublings = std::min(attempt->second.failures++, kMostDoublings);
    attempt->second.not_before_ms = steady_ms() + kFirstPauseMs * (1u << doublings);
  }
}

}  // namespace rockllama
