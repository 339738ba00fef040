#include "service/break_even.h"

#include <cmath>

namespace rockllama {
namespace {

// To open a file, look at it and hand it over, whatever its size.
constexpr double kOpenMs = 2;
// A slow eMMC; good media are several times quicker.
constexpr double kCautiousBytesPerS = 100e6;

double restore_speed(const EngineFigures& figures) {
  return figures.restore_bytes_per_s > 0 ? figures.restore_bytes_per_s : kCautiousBytesPerS;
}

}  // namespace

double prefill_ms(uint32_t tokens, const EngineFigures& figures) {
  return figures.prefill_tokens_per_s > 0 ? tokens / figures.prefill_tokens_per_s * 1000 : 0;
}

double restore_ms(uint64_t bytes, const EngineFigures& figures) {
  return kOpenMs + static_cast<double>(bytes) / restore_speed(figures) * 1000;
}

std::optional<uint32_t> break_even_tokens(uint64_t kv_bytes_per_token, const EngineFigures& figures) {
  const double gain_per_token = prefill_ms(1, figures) - (restore_ms(kv_bytes_per_token, figures) - kOpenMs);
  if (figures.prefill_tokens_per_s <= 0 || gain_per_token <= 0) return std::nullopt;
  const double tokens = std::ceil(kOpenMs / gain_per_token);
  return tokens < UINT32_MAX ? std::optional(static_cast<uint32_t>(tokens)) : std::nullopt;
}

}  // namespace rockllama
