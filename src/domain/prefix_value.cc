#include "domain/prefix_value.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rockllama {
namespace {

constexpr double kHalfLifeS = 30.0 * 60;
constexpr double kChanceOfNeverUsed = 0.25;  // in uses
constexpr double kShortTokens = 256;
constexpr double kPinned = 1e15;  // above what any use comes to
constexpr double kMiB = 1024.0 * 1024.0;

double decay(const PrefixUse& use, double now_s) {
  return std::exp2(-std::max(0.0, now_s - use.last_used_s) / kHalfLifeS);
}

}  // namespace

double decayed_hits(const PrefixUse& use, double now_s) { return use.hits * decay(use, now_s); }

void count_use(PrefixUse& use, double now_s) {
  use.hits = decayed_hits(use, now_s) + 1;
  use.last_used_s = std::max(use.last_used_s, now_s);
}

double prefix_value(const PrefixUse& use, double now_s) {
  if (use.in_use) return std::numeric_limits<double>::infinity();
  const double uses = (use.hits + kChanceOfNeverUsed) * decay(use, now_s);
  const double tokens = use.tokens;
  const double long_enough = tokens / (tokens + kShortTokens);
  const double mib = std::max(1.0, static_cast<double>(use.bytes)) / kMiB;
  const double saved = uses * tokens * long_enough * long_enough / mib;
  return use.pinned ? kPinned + saved : std::min(saved, kPinned / 2);
}

bool restore_pays(uint32_t tokens, uint64_t bytes, const PrefixSpeeds& speeds) {
  if (speeds.prefill_tokens_per_s <= 0 || speeds.restore_bytes_per_s <= 0) return true;
  return static_cast<double>(bytes) / speeds.restore_bytes_per_s < tokens / speeds.prefill_tokens_per_s;
}

}  // namespace rockllama
