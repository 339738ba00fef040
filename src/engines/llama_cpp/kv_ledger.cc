#include "engines/llama_cpp/kv_ledger.h"

#include <algorithm>

namespace rockllama {

KvLedger::KvLedger(const LedgerLimits& limits) : limits_(limits) {
  const auto sequences = static_cast<int32_t>(2 * limits.generations + limits.idle_residents);
  for (int32_t sequence = sequences - 1; sequence >= 0; --sequence) free_sequences_.push_back(sequence);
}

// A state that is brought in may need more cells than the generation: its tail leaves once the rest is shared.
Fit KvLedger::fit(const CellRequest& request) const {
  if (request.tokens > limits_.cells) return Fit::kNever;
  if (alone()) return Fit::kNow;
  if (generations_.size() >= limits_.generations) return Fit::kLater;
  const std::vector<int32_t> running = generation_sequences();
  uint64_t wanted = uint64_t{segments_.held_by(running)} + request.tokens - request.running_tokens;
  if (const Resident* resident = find(request.resident)) {
    // Of what it shares, that which running generations hold is there already.
    wanted -= segments_.held_in_front(resident->sequence, request.reuse_tokens, running);
  } else {
    wanted += std::max(request.restore_tokens, request.tokens) - request.tokens;
  }
  return wanted <= limits_.cells ? Fit::kNow : Fit::kLater;
}

const Resident* KvLedger::find(const std::string& id) const {
  const auto found = residents_.find(id);
  return found == residents_.end() ? nullptr : &found->second;
}

std::vector<std::string> KvLedger::residents() const {
  std::vector<std::string> ids;
  for (const auto& [id, resident] : residents_) ids.push_back(id);
  return ids;
}

std::vector<int32_t> KvLedger::generation_sequences() const {
  std::vector<int32_t> sequences;
  for (const auto& [sequence, base] : generations_) sequences.push_back(sequence);
  return sequences;
}

bool KvLedger::in_use(const std::string& id) const {
  return std::any_of(generations_.begin(), generations_.end(), [&](const auto& one) { return one.second == id; });
}

const Resident* KvLedger::leaves_first(const std::string& keep) const {
  const Resident* first = nullptr;
  for (const auto& [id, resident] : residents_) {
    if (id == keep) continue;
    if (first == nullptr ||
        std::pair(in_use(id), resident.last_used) < std::pair(in_use(first->id), first->last_used)) {
      first = &resident;
    }
  }
  return first;
}

std::optional<std::string> KvLedger::leaves_for(uint32_t cells, size_t sequences, const std::string& keep) const {
  if (uint64_t{used_cells()} + cells <= limits_.cells && sequences <= free_sequences_.size()) return std::nullopt;
  const Resident* first = leaves_first(keep);
  return first == nullptr ? std::nullopt : std::optional(first->id);
}

std::optional<std::string> KvLedger::leaves_idle() const {
  uint32_t idle = 0;
  for (const auto& [id, resident] : residents_) idle += in_use(id) ? 0 : 1;
  return idle > limits_.idle_residents ? std::optional(leaves_first({})->id) : std::nullopt;
}

int32_t KvLedger::take_sequence() {
  const int32_t sequence = free_sequences_.back();
  free_sequences_.pop_back();
  return sequence;
}

void KvLedger::put_resident(const std::string& id, int32_t sequence, uint32_t tokens, bool at_cell_zero) {
  residents_[id] = {
      .id = id, .sequence = sequence, .tokens = tokens, .last_used = ++clock_, .at_cell_zero = at_cell_zero};
}

int32_t KvLedger::add_resident(const std::string& id, uint32_t tokens, bool at_cell_zero) {
  const int32_t sequence = take_sequence();
  segments_.add(sequence, tokens);
  put_resident(id, sequence, tokens, at_cell_zero);
  return sequence;
}

int32_t KvLedger::remove_resident(const std::string& id) {
  const auto found = residents_.find(id);
  const int32_t sequence = found->second.sequence;
  residents_.erase(found);
  segments_.remove(sequence);
  free_sequences_.push_back(sequence);
  return sequence;
}

int32_t KvLedger::add_generation(uint32_t tokens, const std::string& base, uint32_t reuse_tokens) {
  int32_t shared = -1;
  if (const auto found = residents_.find(base); found != residents_.end()) {
    shared = found->second.sequence;
    found->second.last_used = ++clock_;
  }
  const int32_t sequence = add_follower(tokens, shared, reuse_tokens);
  generations_[sequence] = base;
  return sequence;
}

int32_t KvLedger::add_follower(uint32_t tokens, int32_t base, uint32_t reuse_tokens) {
  const int32_t sequence = take_sequence();
  segments_.add(sequence, tokens - reuse_tokens, base, reuse_tokens);
  generations_[sequence] = {};
  return sequence;
}

void KvLedger::remove_generation(int32_t sequence) {
  generations_.erase(sequence);
  segments_.remove(sequence);
  free_sequences_.push_back(sequence);
}

void KvLedger::keep_generation(int32_t sequence, const std::string& id, uint32_t tokens, bool at_cell_zero) {
  generations_.erase(sequence);
  segments_.cut(sequence, tokens);
  put_resident(id, sequence, tokens, at_cell_zero);
}

}  // namespace rockllama
