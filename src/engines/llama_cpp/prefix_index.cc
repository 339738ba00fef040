#include "engines/llama_cpp/prefix_index.h"

#include <algorithm>

#include "engine/cut_plan.h"

namespace rockllama {
namespace {

bool stands_for(const AutomaticPrefix& newer, const AutomaticPrefix& older, bool whole_only) {
  if (newer.salt != older.salt || older.size() > newer.size()) return false;
  if (whole_only && older.size() != newer.size()) return false;
  return common_prefix(newer.tokens, older.tokens) == older.size();
}

}  // namespace

uint32_t shared_cut(std::span<const uint32_t> a, std::span<const uint32_t> b, uint32_t limit) {
  uint32_t shared = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i] && a[i] <= limit; ++i) shared = a[i];
  return shared;
}

uint32_t reusable_tokens(const AutomaticPrefix& prefix, const PrefixQuery& query) {
  if (query.reuse == ReusePolicy::kNone || !(prefix.salt == query.salt)) return 0;
  const uint32_t common = reusable_prefix(query.tokens, prefix.tokens);
  const bool exact = query.reuse == ReusePolicy::kExact;
  if (!exact && common > prefix.generated_from) return common;
  const bool same_bits = exact || query.over_named_cache;
  return shared_cut(prefix.cuts, query.cuts, same_bits ? std::min(common, prefix.exact_tokens) : common);
}

PrefixIndex::Match PrefixIndex::best(const PrefixQuery& query,
                                     const std::function<bool(const AutomaticPrefix&, uint32_t tokens)>& usable) const {
  Match best;
  for (const AutomaticPrefix& prefix : prefixes_) {
    const uint32_t tokens = reusable_tokens(prefix, query);
    const bool later =
        best.prefix == nullptr || tokens > best.tokens || prefix.use.last_used_s > best.prefix->use.last_used_s;
    if (tokens == 0 || tokens < best.tokens || !later) continue;
    if (whole_only_ && tokens != prefix.size()) continue;
    if (usable(prefix, tokens)) best = {&prefix, tokens};
  }
  return best;
}

std::vector<uint64_t> PrefixIndex::add(AutomaticPrefix prefix, double now_s, uint64_t* id) {
  std::vector<uint64_t> replaced;
  for (const AutomaticPrefix& older : prefixes_) {
    if (!stands_for(prefix, older, whole_only_)) continue;
    replaced.push_back(older.id);
    prefix.use.hits = std::max(prefix.use.hits, decayed_hits(older.use, now_s));
  }
  for (const uint64_t one : replaced) erase(one);
  *id = prefix.id = ++last_id_;
  prefix.use.tokens = prefix.size();
  prefix.use.last_used_s = now_s;
  prefixes_.push_back(std::move(prefix));
  return replaced;
}

AutomaticPrefix* PrefixIndex::find(uint64_t id) {
  const auto found =
      std::find_if(prefixes_.begin(), prefixes_.end(), [id](const AutomaticPrefix& one) { return one.id == id; });
  return found == prefixes_.end() ? nullptr : &*found;
}

void PrefixIndex::erase(uint64_t id) {
  std::erase_if(prefixes_, [id](const AutomaticPrefix& one) { return one.id == id; });
}

}  // namespace rockllama
