#include "service/offer_decision.h"

#include "service/break_even.h"

namespace rockllama {
namespace {

// A write costs about as much as the restore that it is for, and it is not certain that there will be one.
constexpr double kLeastGain = 2;

}  // namespace

std::optional<std::string> offer_refusal(const protocol::Offered& offer, const EngineFigures& figures,
                                         const StoreUse& use, uint64_t writing_bytes) {
  const StoreLimits& limits = use.limits;
  const uint64_t bytes = offer.bytes + writing_bytes;
  const double saved_ms = prefill_ms(offer.state.key.tokens, figures);
  if (figures.prefill_tokens_per_s > 0 && saved_ms < kLeastGain * restore_ms(offer.bytes, figures)) {
    return "to restore it would hardly be quicker than to prefill it again";
  }
  if (limits.automatic_bytes > 0 && bytes > limits.automatic_bytes) return "it is larger than cache.auto_cache_mib";
  if (limits.automatic_write_bytes_per_day > 0 &&
      use.automatic_bytes_written_today + bytes > limits.automatic_write_bytes_per_day) {
    return "cache.automatic_write_mib_per_day is used up";
  }
  if (use.free_bytes > 0 && use.free_bytes < bytes + limits.keep_free_bytes) return "the device is nearly full";
  return std::nullopt;
}

}  // namespace rockllama
