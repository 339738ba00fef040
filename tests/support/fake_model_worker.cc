#include "tests/support/fake_model_worker.h"

#include <utility>

namespace rockllama::test {

void FakeModelWorker::prepare(const protocol::Prepare& command) {
  const std::lock_guard lock(mutex_);
  sent_.prepares.push_back(command);
}
void FakeModelWorker::start(const protocol::Start& command, UniqueFd state) {
  const std::lock_guard lock(mutex_);
  sent_.starts.push_back({command, state.valid()});
}
void FakeModelWorker::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  sent_.cancels.push_back(id);
}
void FakeModelWorker::add_credit(RequestId id, uint32_t tokens) {
  const std::lock_guard lock(mutex_);
  sent_.credits.emplace_back(id, tokens);
}
void FakeModelWorker::lend(const protocol::Lend& command, UniqueFd state) {
  const std::lock_guard lock(mutex_);
  sent_.lends.push_back({command, state.valid()});
}
void FakeModelWorker::save_state(const protocol::SaveState& command, UniqueFd file) {
  const std::lock_guard lock(mutex_);
  sent_.saves.push_back(command);
  sent_.save_files.push_back(std::move(file));
}
void FakeModelWorker::ask(const protocol::Ask& command) {
  const std::lock_guard lock(mutex_);
  sent_.questions.push_back(command);
}
void FakeModelWorker::know_states(const protocol::KnownStates& command) {
  const std::lock_guard lock(mutex_);
  sent_.known.push_back(command);
}
void FakeModelWorker::keep(const protocol::Keep& command, UniqueFd file) {
  const std::lock_guard lock(mutex_);
  sent_.keeps.push_back({command, file.valid()});
}
void FakeModelWorker::stop() {
  const std::lock_guard lock(mutex_);
  sent_.stopped = true;
}

}  // namespace rockllama::test
