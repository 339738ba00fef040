#include "engine/cut_plan.h"

#include <algorithm>

namespace rockllama {

std::vector<uint32_t> block_cuts(uint32_t from, uint32_t to, uint32_t block_tokens) {
  std::vector<uint32_t> cuts;
  for (uint32_t end = from; end < to;) {
    end = std::min(end + block_tokens, to);
    cuts.push_back(end);
  }
  return cuts;
}

uint32_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  const auto ends =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<uint32_t>(ends.first - a.begin());
}

CutPlan plan_cuts(std::span<const int32_t> prompt, std::span<const int32_t> prefix, uint32_t block_tokens) {
  const auto size = static_cast<uint32_t>(prompt.size());
  const uint32_t usable = std::min(common_prefix(prompt, prefix), size == 0 ? 0 : size - 1);
  CutPlan plan;
  for (const uint32_t cut : block_cuts(0, static_cast<uint32_t>(prefix.size()), block_tokens)) {
    if (cut > usable) break;
    plan.cuts.push_back(cut);
    plan.reuse_tokens = cut;
  }
  const std::vector<uint32_t> rest = block_cuts(plan.reuse_tokens, size, block_tokens);
  plan.cuts.insert(plan.cuts.end(), rest.begin(), rest.end());
  return plan;
}

}  // namespace rockllama
