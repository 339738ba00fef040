#include "engines/llama_cpp/kv_buffer.h"

#include <algorithm>

#include "base/clock.h"
#include "engines/llama_cpp/llama_model.h"
#include "engines/llama_cpp/state_restore.h"

namespace rockllama {
namespace {

uint32_t tokens_of(const GenerationTask& task) {
  const uint64_t tokens = task.tokens.size() + uint64_t{task.max_tokens};
  return static_cast<uint32_t>(std::min<uint64_t>(tokens, UINT32_MAX));
}

std::string partial_reason(const PrefixState& prefix) {
  if (prefix.reuse_tokens == prefix.key.tokens) return {};
  return "The prompt follows the cache for " + std::to_string(prefix.reuse_tokens) + " of its " +
         std::to_string(prefix.key.tokens) + " tokens.";
}

}  // namespace

KvBuffer::KvBuffer(llama_context* context, const LedgerLimits& limits, const StateLayout& layout,
                   BeforeRestore before_restore)
    : context_(context),
      memory_(llama_get_memory(context)),
      ledger_(limits),
      layout_(layout),
      before_restore_(std::move(before_restore)) {}

// Why the task's prefix cannot serve, whatever is in the buffer; empty when it can.
std::string KvBuffer::unusable_reason(const GenerationTask& task) const {
  if (!task.prefix) return task.no_state_reason;
  const PrefixState& prefix = *task.prefix;
  const bool is_cut = std::find(task.cuts.begin(), task.cuts.end(), prefix.reuse_tokens) != task.cuts.end();
  if (prefix.reuse_tokens == 0) return "The prompt does not follow the cache as far as its first cut.";
  if (prefix.reuse_tokens > prefix.key.tokens || prefix.reuse_tokens >= task.tokens.size() || !is_cut) {
    return "The state does not end at a cut of the prompt.";
  }
  if (prefix.reuse_tokens < prefix.key.tokens && !states_can_be_cut(llama_get_model(context_))) {
    return "The prompt follows only a part of the cache, and states of this model serve whole or not at all.";
  }
  if (prefix.key.tokens > ledger_.cells()) return "The state is larger than the KV buffer.";
  if (!prefix.file.valid() && ledger_.find(prefix.key.id) == nullptr) return "The state's file could not be opened.";
  return {};
}

CellRequest KvBuffer::cell_request(const GenerationTask& task) const {
  if (!task.prefix || !unusable_reason(task).empty()) return {.tokens = tokens_of(task)};
  return {.tokens = tokens_of(task),
          .state_id = task.prefix->key.id,
          .state_tokens = task.prefix->key.tokens,
          .reuse_tokens = task.prefix->reuse_tokens,
          .restorable = task.prefix->file.valid()};
}

Fit KvBuffer::fit(const GenerationTask& task) const { return ledger_.fit(cell_request(task)); }

Placement KvBuffer::place(const GenerationTask& task) {
  const std::string reason = unusable_reason(task);
  const bool usable = task.prefix && reason.empty();
  if (ledger_.alone()) clear_for(usable ? task.prefix->key.id : "", usable && task.prefix->file.valid());
  if (!usable) return place_text(task, reason);

  const Resident* resident = ledger_.find(task.prefix->key.id);
  if (resident != nullptr && resident->tokens == task.prefix->key.tokens) {
    Placement placement = place_over(task, *resident);
    placement.cache.tier = CacheTier::kResident;
    return placement;
  }
  const double begin = steady_ms();
  if (Status restored = restore(*task.prefix); !restored) return place_text(task, restored.error().message);
  const double restore_ms = steady_ms() - begin;
  Placement placement = place_over(task, *ledger_.find(task.prefix->key.id));
  placement.cache.tier = CacheTier::kDisk;
  placement.cache.restore_ms = restore_ms;
  return placement;
}

// Leaves only the state, if it lies where it would be restored to, or if it cannot be restored.
void KvBuffer::clear_for(const std::string& state_id, bool restorable) {
  const Resident* resident = ledger_.find(state_id);
  if (resident != nullptr && (resident->at_cell_zero || !restorable)) {
    free_sequences(ledger_.evict_unused(state_id));
    return;
  }
  static_cast<void>(ledger_.evict_unused({}));
  llama_memory_clear(memory_, false);
}

Status KvBuffer::restore(const PrefixState& prefix) {
  const std::string& id = prefix.key.id;
  free_sequences(ledger_.make_room(prefix.key.tokens, id));
  const int32_t sequence = ledger_.add_resident(id, prefix.key.tokens, ledger_.alone());
  before_restore_(id);
  Status restored = restore_state({context_, sequence, prefix.key.tokens}, prefix.file.get(), layout_);
  if (!restored) ledger_.remove_resident(id);
  return restored;
}

Placement KvBuffer::place_text(const GenerationTask& task, std::string reason) {
  free_sequences(ledger_.make_room(tokens_of(task), {}));
  Placement placement{.sequence = ledger_.add_generation(tokens_of(task), {}), .cache = {.name = task.cache_name}};
  placement.cache.tier = task.cache_name.empty() ? CacheTier::kNone : CacheTier::kText;
  placement.cache.reason = std::move(reason);
  return placement;
}

Placement KvBuffer::place_over(const GenerationTask& task, const Resident& resident) {
  const PrefixState& prefix = *task.prefix;
  const int32_t shared = resident.sequence;
  // Alone, not even the cells of a dropped tail may be in the buffer.
  const bool drop_tail = ledger_.alone() && prefix.reuse_tokens < prefix.key.tokens;
  const uint32_t own_cells = tokens_of(task) - (drop_tail ? 0 : prefix.reuse_tokens);
  if (!drop_tail) free_sequences(ledger_.make_room(own_cells, prefix.key.id));
  Placement placement;
  placement.sequence = ledger_.add_generation(own_cells, drop_tail ? "" : prefix.key.id);
  llama_memory_seq_cp(memory_, shared, placement.sequence, 0, static_cast<llama_pos>(prefix.reuse_tokens));
  if (drop_tail) free_sequences({ledger_.remove_resident(prefix.key.id)});
  placement.cache.name = task.cache_name;
  placement.cache.tokens = prefix.reuse_tokens;
  placement.cache.reason = partial_reason(prefix);
  return placement;
}

void KvBuffer::release(int32_t sequence) {
  llama_memory_seq_rm(memory_, sequence, -1, -1);
  ledger_.remove_generation(sequence);
  free_sequences(ledger_.evict_idle());
}

void KvBuffer::drop_idle() { free_sequences(ledger_.evict_unused({})); }

void KvBuffer::free_sequences(const std::vector<int32_t>& sequences) {
  for (const int32_t sequence : sequences) llama_memory_seq_rm(memory_, sequence, -1, -1);
}

}  // namespace rockllama
