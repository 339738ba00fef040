#include "engines/llama_cpp/kv_ledger.h"

namespace rockllama {

KvLedger::KvLedger(const LedgerLimits& limits) : limits_(limits) {
  const auto sequences = static_cast<int32_t>(2 * limits.generations + limits.idle_residents);
  for (int32_t sequence = sequences - 1; sequence >= 0; --sequence) free_sequences_.push_back(sequence);
}

Fit KvLedger::fit(const CellRequest& request) const {
  if (request.tokens > limits_.cells) return Fit::kNever;
  if (alone()) return Fit::kNow;
  if (generations_.size() >= limits_.generations) return Fit::kLater;
  uint64_t wanted = request.tokens;
  if (find(request.state_id) != nullptr) {
    wanted -= request.reuse_tokens;
  } else if (request.restorable) {
    wanted += request.state_tokens - request.reuse_tokens;
  }
  return pinned_cells(request.state_id) + wanted <= limits_.cells ? Fit::kNow : Fit::kLater;
}

uint32_t KvLedger::used_cells() const {
  uint32_t cells = 0;
  for (const auto& [id, resident] : residents_) cells += resident.tokens;
  for (const auto& [sequence, holding] : generations_) cells += holding.own_cells;
  return cells;
}

uint32_t KvLedger::pinned_cells(const std::string& also) const {
  uint32_t cells = used_cells();
  for (const auto& [id, resident] : residents_) {
    if (resident.users == 0 && id != also) cells -= resident.tokens;
  }
  return cells;
}

const Resident* KvLedger::find(const std::string& state_id) const {
  const auto found = residents_.find(state_id);
  return found == residents_.end() ? nullptr : &found->second;
}

const Resident* KvLedger::least_recently_used(const std::string& keep) const {
  const Resident* oldest = nullptr;
  for (const auto& [id, resident] : residents_) {
    if (resident.users != 0 || id == keep) continue;
    if (oldest == nullptr || resident.last_used < oldest->last_used) oldest = &resident;
  }
  return oldest;
}

std::vector<int32_t> KvLedger::make_room(uint32_t cells, const std::string& keep) {
  std::vector<int32_t> gone;
  while (uint64_t{used_cells()} + cells > limits_.cells) {
    const Resident* oldest = least_recently_used(keep);
    if (oldest == nullptr) break;
    gone.push_back(remove_resident(std::string(oldest->state_id)));
  }
  return gone;
}

std::vector<int32_t> KvLedger::evict_idle() {
  uint32_t idle = 0;
  for (const auto& [id, resident] : residents_) idle += resident.users == 0 ? 1 : 0;
  std::vector<int32_t> gone;
  for (; idle > limits_.idle_residents; --idle) {
    gone.push_back(remove_resident(std::string(least_recently_used({})->state_id)));
  }
  return gone;
}

std::vector<int32_t> KvLedger::evict_unused(const std::string& keep) {
  std::vector<int32_t> gone;
  while (const Resident* oldest = least_recently_used(keep)) {
    gone.push_back(remove_resident(std::string(oldest->state_id)));
  }
  return gone;
}

int32_t KvLedger::remove_resident(const std::string& state_id) {
  const auto found = residents_.find(state_id);
  const int32_t sequence = found->second.sequence;
  residents_.erase(found);
  free_sequences_.push_back(sequence);
  return sequence;
}

int32_t KvLedger::take_sequence() {
  const int32_t sequence = free_sequences_.back();
  free_sequences_.pop_back();
  return sequence;
}

int32_t KvLedger::add_resident(const std::string& state_id, uint32_t tokens, bool at_cell_zero) {
  const int32_t sequence = take_sequence();
  residents_[state_id] = {.state_id = state_id,
                          .sequence = sequence,
                          .tokens = tokens,
                          .users = 0,
                          .last_used = ++clock_,
                          .at_cell_zero = at_cell_zero};
  return sequence;
}

int32_t KvLedger::add_generation(uint32_t own_cells, const std::string& shared) {
  const int32_t sequence = take_sequence();
  generations_[sequence] = {own_cells, shared};
  if (const auto found = residents_.find(shared); found != residents_.end()) {
    ++found->second.users;
    found->second.last_used = ++clock_;
  }
  return sequence;
}

void KvLedger::remove_generation(int32_t sequence) {
  const auto found = generations_.find(sequence);
  if (const auto shared = residents_.find(found->second.shared); shared != residents_.end()) --shared->second.users;
  generations_.erase(found);
  free_sequences_.push_back(sequence);
}

}  // namespace rockllama
