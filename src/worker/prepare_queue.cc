#include "worker/prepare_queue.h"

#include <algorithm>
#include <utility>

namespace rockllama {

// Nothing for what nobody waits for.
std::optional<RequestId> PrepareQueue::id_of(const Work& work) {
  if (const auto* prepare = std::get_if<protocol::Prepare>(&work)) return prepare->id;
  if (const auto* save = std::get_if<Save>(&work)) return save->command.id;
  if (const auto* ask = std::get_if<protocol::Ask>(&work)) return ask->id;
  return std::nullopt;
}

PrepareQueue::PrepareQueue(EventSender send, std::function<void(PlannedWork)> pass_on)
    : send_(std::move(send)), pass_on_(std::move(pass_on)) {}

PrepareQueue::~PrepareQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PrepareQueue::run(Preparer preparer) {
  preparer_ = std::move(preparer);
  thread_ = std::thread([this] { work_on(); });
}

void PrepareQueue::add(protocol::Prepare command) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(std::move(command));
  changed_.notify_one();
}

void PrepareQueue::add(protocol::SaveState command, UniqueFd file, std::optional<PrefixState> lent) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(Save{std::move(command), std::move(file), std::move(lent)});
  changed_.notify_one();
}

void PrepareQueue::add(protocol::Ask command) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(std::move(command));
  changed_.notify_one();
}

void PrepareQueue::add(protocol::KnownStates command) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_back(std::move(command));
  changed_.notify_one();
}

std::optional<PreparedGeneration> PrepareQueue::take(RequestId id) {
  const std::lock_guard lock(mutex_);
  auto node = prepared_.extract(id);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

bool PrepareQueue::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  const size_t waited = std::erase_if(waiting_, [&](const Work& work) { return id_of(work) == id; });
  const size_t was_prepared = prepared_.erase(id);
  const bool in_work = current_ == id;
  if (in_work) current_.reset();
  const bool was_here = waited + was_prepared > 0 || in_work;
  if (was_here) send_(cancelled(id));
  return was_here;
}

void PrepareQueue::work_on() {
  while (std::optional<Work> some = next()) {
    std::visit([this](auto& one) { work(&*preparer_, one); }, *some);
  }
}

std::optional<PrepareQueue::Work> PrepareQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return std::nullopt;
  Work work = std::move(waiting_.front());
  waiting_.pop_front();
  current_ = id_of(work);
  return work;
}

// False when it was cancelled meanwhile. Under the lock.
bool PrepareQueue::finish_current() { return std::exchange(current_, std::nullopt).has_value(); }

void PrepareQueue::work(Preparer* preparer, const protocol::Prepare& command) {
  auto prepared = preparer->prepare(command);
  const std::lock_guard lock(mutex_);
  if (!finish_current()) return;
  if (!prepared) return send_(failed(command.id, prepared.error()));
  const protocol::Prepared answer = prepared->answer;
  prepared_.insert_or_assign(command.id, std::move(*prepared));
  send_(answer);
}

void PrepareQueue::work(Preparer* preparer, protocol::KnownStates& states) { preparer->know(std::move(states)); }

void PrepareQueue::work(Preparer* preparer, Save& save) {
  const protocol::SaveState& command = save.command;
  auto plan = preparer->plan_state(command.line, command.format, save.lent ? &save.lent->key : nullptr);
  const std::lock_guard lock(mutex_);
  if (!finish_current()) return;
  if (!plan) return send_(failed(command.id, plan.error()));
  SaveStateTask task{command.id, std::move(plan->tokens), std::move(plan->cuts), std::move(save.file)};
  if (plan->base_tokens != 0) {
    task.base = std::move(save.lent);
    task.base->reuse_tokens = plan->base_tokens;
  }
  pass_on_(PlannedSave{std::move(task), std::move(plan->note)});
}

void PrepareQueue::work(Preparer* preparer, const protocol::Ask& command) {
  auto outcome = preparer->answer(command);
  const std::lock_guard lock(mutex_);
  if (!finish_current()) return;
  if (!outcome) return send_(failed(command.id, outcome.error()));
  if (auto* answer = std::get_if<Answer>(&*outcome)) return send_(protocol::Answered{command.id, std::move(*answer)});
  pass_on_(std::move(std::get<EmbeddingTask>(*outcome)));
}

}  // namespace rockllama
