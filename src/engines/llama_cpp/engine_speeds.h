// How fast this machine prefills and brings states back: averages in which each sample counts a little more than the
// one before. Used on the engine's thread.
#pragma once

#include "domain/prefix_value.h"

namespace rockllama {

class DecayingRate {
 public:
  void add(double amount, double ms) {
    amount_ = amount_ * kKept + amount;
    ms_ = ms_ * kKept + ms;
  }
  // Amount per second; 0 = not measured yet.
  [[nodiscard]] double per_second() const { return ms_ <= 0 ? 0 : amount_ / ms_ * 1000; }

 private:
  static constexpr double kKept = 0.9;  // of what was there, with each sample
  double amount_ = 0;
  double ms_ = 0;
};

struct EngineSpeeds {
  DecayingRate prefill_tokens;
  DecayingRate file_bytes;    // of states restored from files
  DecayingRate memory_bytes;  // of those restored from memory

  [[nodiscard]] PrefixSpeeds from_files() const { return {prefill_tokens.per_second(), file_bytes.per_second()}; }
  [[nodiscard]] PrefixSpeeds from_memory() const { return {prefill_tokens.per_second(), memory_bytes.per_second()}; }
};

}  // namespace rockllama
