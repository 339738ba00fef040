#include "supervisor/crash_count.h"

namespace rockllama {
namespace {

constexpr int kMostEarly = 5;
constexpr double kEarlyMs = 60'000;

}  // namespace

void CrashCount::loaded(double now_ms) {
  loaded_ = true;
  loaded_at_ms_ = now_ms;
}

bool CrashCount::lost(double now_ms) {
  ++in_a_row_;
  const bool early = !loaded_ || now_ms - loaded_at_ms_ < kEarlyMs;
  early_ = early ? early_ + 1 : 0;
  return early_ >= kMostEarly;
}

}  // namespace rockllama
