// What an automatic prefix is worth: which one goes when there is no room for all, and whether bringing one back beats
// prefilling it again. Pure.
#pragma once

#include <cstdint>

namespace rockllama {

// How a prefix was used, and what it costs. Times are seconds of any clock that does not go back.
struct PrefixUse {
  uint32_t tokens = 0;     // that a prefill would cost
  uint64_t bytes = 0;      // that keeping it costs
  double hits = 0;         // uses, decayed to last_used_s
  double last_used_s = 0;  // or when it was made
  bool pinned = false;
  bool in_use = false;
};

// Counts one more use.
void count_use(PrefixUse& use, double now_s);
[[nodiscard]] double decayed_hits(const PrefixUse& use, double now_s);

// Tokens that keeping a MiB of it is expected to save; halves every 30 minutes without a use. What was used once counts
// five times as much as what never was, and a short prefix (below some hundred tokens) far less than its length. A
// pinned one is above all that are not; one in use is infinite: it never goes.
[[nodiscard]] double prefix_value(const PrefixUse& use, double now_s);

// What was measured; 0 = not known.
struct PrefixSpeeds {
  double prefill_tokens_per_s = 0;
  double restore_bytes_per_s = 0;
};

// Whether bringing `bytes` back takes less time than prefilling `tokens`; yes while a speed is not known.
[[nodiscard]] bool restore_pays(uint32_t tokens, uint64_t bytes, const PrefixSpeeds& speeds);

}  // namespace rockllama
