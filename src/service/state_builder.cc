#include "service/state_builder.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace rockllama {
namespace {

// The events of one save, on the worker's thread.
struct Save {
  StateBuilder::Order order;
  StateBuilder::OnProgress progress;
  StateBuilder::Built built;
  PendingState payload;

  void on_event(const JobEvent& event) {
    if (const auto* step = std::get_if<protocol::Progress>(&event); step != nullptr && progress) {
      progress(step->done_tokens, step->total_tokens);
    } else if (const auto* saved = std::get_if<protocol::StateSaved>(&event)) {
      const ModelHost& host = *order.host;
      built(NewState{std::move(payload), order.format, to_string(host.entry().spec.engine), host.fingerprint(),
                     saved->state});
    } else if (const auto* error = std::get_if<Error>(&event)) {
      built(tl::unexpected(*error));
    }
  }
};

}  // namespace

void StateBuilder::build(Order order, OnProgress progress, Built built) {
  if (!order.host->model().capabilities.state_save) {
    return built(fail(ErrorCode::kUnsupported, "this model's engine cannot save states"));
  }
  auto payload = context_->store->begin_state(order.host->entry().spec.name, order.name, order.format);
  if (!payload) return built(tl::unexpected(payload.error()));
  UniqueFd file = payload->take_fd();
  const protocol::SaveState command{context_->next_id(), order.format, order.text};
  Scheduler& scheduler = order.host->scheduler();
  auto save =
      std::make_shared<Save>(Save{std::move(order), std::move(progress), std::move(built), std::move(*payload)});
  // Off the worker's thread: what follows a state is hashing and file calls.
  scheduler.save_state(command, std::move(file), [save, executor = context_->executor](const JobEvent& event) {
    if (std::holds_alternative<protocol::Progress>(event)) return save->on_event(event);
    executor->post([save, event] { save->on_event(event); });
  });
}

void StateBuilder::rebuild(const std::shared_ptr<ModelHost>& host, const std::string& name, StateFormat format,
                           std::shared_ptr<void> keep) {
  context_->executor->post([this, host, name, format, keep = std::move(keep)] {
    const std::string& model = host->entry().spec.name;
    const auto reference = context_->store->reference(model, name, format, host->fingerprint());
    if (!reference || reference->state) return;
    const std::string key = model + "/" + name + "/" + to_string(format) + "/" + to_hex(hash_bytes(reference->text)) +
                            "/" + host->fingerprint();
    {
      const std::lock_guard lock(mutex_);
      if (!under_way_.insert(key).second) return;
    }
    rebuild_now({host, name, reference->text, format}, key, keep);
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
    // A text that changed meanwhile is no failure of this key: the new text has another.
    forget(key, !status && status.error().code != ErrorCode::kConflict && status.error().code != ErrorCode::kCancelled);
    spdlog::info("cache {}/{}: {} state {}", model, order.name, to_string(order.format),
                 status ? "rebuilt" : "not rebuilt: " + status.error().message);
  });
}

void StateBuilder::forget(const std::string& key, bool failed) {
  const std::lock_guard lock(mutex_);
  if (!failed) under_way_.erase(key);
}

}  // namespace rockllama
