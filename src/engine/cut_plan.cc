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

uint32_t reusable_prefix(std::span<const int32_t> prompt, std::span<const int32_t> prefix) {
  return prompt.empty() ? 0 : common_prefix(prompt.first(prompt.size() - 1), prefix);
}

bool cuts_are_valid(std::span<const uint32_t> cuts, size_t size, uint32_t block_tokens) {
  uint32_t last = 0;
  for (const uint32_t cut : cuts) {
    if (cut <= last || cut - last > block_tokens) return false;
    last = cut;
  }
  return last != 0 && last == size;
}

std::vector<uint32_t> border_cuts(std::span<const uint32_t> borders, uint32_t block_tokens) {
  std::vector<uint32_t> cuts;
  for (const uint32_t border : borders) {
    const std::vector<uint32_t> more = block_cuts(cuts.empty() ? 0 : cuts.back(), border, block_tokens);
    cuts.insert(cuts.end(), more.begin(), more.end());
  }
  return cuts;
}

CutPlan plan_cuts(std::span<const int32_t> prompt, std::span<const int32_t> prefix,
                  std::span<const uint32_t> prefix_cuts, uint32_t block_tokens) {
  const auto size = static_cast<uint32_t>(prompt.size());
  const uint32_t usable = reusable_prefix(prompt, prefix);
  CutPlan plan;
  for (const uint32_t cut : prefix_cuts) {
    if (cut > usable) break;
    plan.cuts.push_back(cut);
    plan.reuse_tokens = cut;
  }
  const std::vector<uint32_t> rest = block_cuts(plan.reuse_tokens, size, block_tokens);
  plan.cuts.insert(plan.cuts.end(), rest.begin(), rest.end());
  return plan;
}

}  // namespace rockllama
