#include "engines/llama_cpp/prefix_choice.h"

#include <algorithm>

#include "engine/cut_plan.h"

namespace rockllama {
namespace {

uint32_t cells_of(const GenerationTask& task) {
  const uint64_t tokens = task.tokens.size() + uint64_t{task.max_tokens};
  return static_cast<uint32_t>(std::min<uint64_t>(tokens, UINT32_MAX));
}

// Whether the resident serves as it lies: a request that runs alone has its cells from 0 on.
bool keeps_bits(const KvLedger& ledger, const std::string& id) {
  const Resident* const resident = ledger.find(id);
  return resident != nullptr && (resident->at_cell_zero || !ledger.alone());
}

// Why the task's own state cannot serve, whatever is in the buffer; empty when it can.
std::string unusable_reason(const GenerationTask& task, const KvLedger& ledger, bool whole_only) {
  if (!task.prefix) return task.no_state_reason;
  const PrefixState& prefix = *task.prefix;
  const bool is_cut = std::find(task.cuts.begin(), task.cuts.end(), prefix.reuse_tokens) != task.cuts.end();
  if (prefix.reuse_tokens == 0) return "The prompt does not follow the cache as far as its first cut.";
  if (prefix.reuse_tokens > prefix.key.tokens || prefix.reuse_tokens >= task.tokens.size() ||
      (!is_cut && !prefix.automatic)) {
    return "The state does not end at a cut of the prompt.";
  }
  if (prefix.reuse_tokens < prefix.key.tokens && whole_only) {
    return "The prompt follows only a part of the cache, and states of this model serve whole or not at all.";
  }
  if (prefix.key.tokens > ledger.cells()) return "The state is larger than the KV buffer.";
  if (!prefix.file.valid() && !keeps_bits(ledger, prefix.key.id)) return "The state's file could not be opened.";
  return {};
}

std::string partial_reason(const PrefixState& prefix) {
  if (prefix.automatic || prefix.reuse_tokens == prefix.key.tokens) return {};
  return "The prompt follows the cache for " + std::to_string(prefix.reuse_tokens) + " of its " +
         std::to_string(prefix.key.tokens) + " tokens.";
}

PrefixChoice own_state(const GenerationTask& task, const KvLedger& ledger, bool whole_only) {
  PrefixChoice choice{.reason = unusable_reason(task, ledger, whole_only)};
  if (!task.prefix || !choice.reason.empty()) return choice;
  return {.resident_id = task.prefix->key.id,
          .state_tokens = task.prefix->key.tokens,
          .reuse_tokens = task.prefix->reuse_tokens,
          .restorable = task.prefix->file.valid(),
          .reason = partial_reason(*task.prefix)};
}

PrefixChoice automatic_choice(const AutomaticPrefix& prefix, uint32_t tokens, bool restorable) {
  return {.resident_id = prefix.resident_id(),
          .state_tokens = prefix.size(),
          .reuse_tokens = tokens,
          .automatic = prefix.id,
          .restorable = restorable};
}

}  // namespace

CellRequest cell_request(const GenerationTask& task, const PrefixChoice& choice) {
  if (choice.running >= 0) return {.tokens = cells_of(task), .running_tokens = choice.reuse_tokens};
  return {.tokens = cells_of(task),
          .resident = choice.resident_id,
          .reuse_tokens = choice.reuse_tokens,
          .restore_tokens = choice.restorable ? choice.state_tokens : 0};
}

PrefixChoice choose_prefix(const GenerationTask& task, const KvLedger& ledger, const AutomaticPrefixes& automatic,
                           bool whole_only) {
  PrefixChoice own = own_state(task, ledger, whole_only);
  const PrefixQuery query{.tokens = task.tokens,
                          .cuts = task.cuts,
                          .salt = task.salt,
                          .reuse = task.reuse,
                          .over_named_cache = !task.cache_name.empty()};
  const bool same_bits = query.reuse == ReusePolicy::kExact || query.over_named_cache;
  const auto usable = [&](const AutomaticPrefix& prefix, uint32_t tokens) {
    if (tokens <= own.reuse_tokens || !automatic.can_serve(prefix, tokens)) return false;
    if (same_bits && automatic.copy(prefix.id) == nullptr && !keeps_bits(ledger, prefix.resident_id())) return false;
    const PrefixChoice choice = automatic_choice(prefix, tokens, true);
    return ledger.fit(cell_request(task, choice)) == Fit::kNow;
  };
  const PrefixIndex::Match best = automatic.index().best(query, usable);
  if (best.prefix == nullptr) return own;
  return automatic_choice(*best.prefix, best.tokens, automatic.copy(best.prefix->id) != nullptr);
}

FollowChoice choose_running(const GenerationTask& task, std::span<const RunningPrefix> running,
                            const PrefixChoice& own) {
  FollowChoice result;
  if (task.reuse != ReusePolicy::kAll) return result;
  uint32_t now = own.reuse_tokens;
  uint32_t soon = own.reuse_tokens;
  for (const RunningPrefix& one : running) {
    if (!(one.salt == task.salt)) continue;
    const uint32_t common = reusable_prefix(task.tokens, one.tokens);
    const uint32_t shared = shared_cut(one.cuts, task.cuts, std::min(common, one.done));
    soon = std::max(soon, shared_cut(one.cuts, task.cuts, common));
    if (shared <= now) continue;
    now = shared;
    result.choice = {.reuse_tokens = shared, .running = one.sequence};
  }
  result.wait = soon > now;
  return result;
}

}  // namespace rockllama
