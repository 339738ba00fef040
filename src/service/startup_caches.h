// Makes the caches that the settings name, at start and beside serving: model by model, one after the other, so that
// requests find room between them. What fails is tried again after pauses, then reported; it never ends the server.
//
// Made by Service. Thread-safe, never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/caches.h"

namespace rockllama {

struct StartupCache {
  CreateCache request;    // an empty model means the default one
  bool required = false;  // the server is not ready before it is made or given up
};

struct StartupProgress {
  struct Failure {
    std::string model;
    std::string name;
    std::string reason;
    bool operator==(const Failure&) const = default;
  };
  struct Current {
    std::string model;
    std::string name;
    uint32_t done_tokens = 0;
    uint32_t total_tokens = 0;     // 0 = not known yet, as while the model is loaded
    double tokens_per_second = 0;  // 0 = not known yet
    [[nodiscard]] std::optional<double> eta_s() const;
  };
  size_t done = 0;  // made, or found as they are to be
  size_t total = 0;
  std::vector<Failure> failed{};  // given up
  std::optional<Current> current{};
  bool required_pending = false;
};

// Model by model, in the order of their first caches.
[[nodiscard]] std::vector<StartupCache> startup_order(std::vector<StartupCache> caches);

class StartupCaches {
 public:
  StartupCaches(ServiceContext* context, Caches* caches) : context_(context), caches_(caches) {}

  // Begins to make `caches`; called at most once.
  void begin(std::vector<StartupCache> caches);
  // Nothing is begun any more.
  void stop();
  [[nodiscard]] StartupProgress progress() const;

 private:
  enum class Fate : uint8_t { kPending, kMade, kGivenUp };
  struct Item {
    StartupCache cache;
    Fate fate = Fate::kPending;
    std::string words{};  // how its last try ended
  };
  struct Outcome {
    bool made = false;
    std::string words;
    bool may_pass = false;  // a later try may do better
  };
  // Where the progress of one state began, for its speed.
  struct Pace {
    StateFormat format = StateFormat::kChat;
    uint32_t first_tokens = 0;
    double first_ms = 0;
    double logged_ms = 0;
  };

  void put_in_order();
  void next();
  void begin_round();  // caller holds the mutex
  void make(size_t index);
  void on_progress(const CacheProgress& step);
  void ended(size_t index, const Outcome& outcome);
  [[nodiscard]] std::string title(size_t index) const;

  ServiceContext* context_;
  Caches* caches_;
  mutable std::mutex mutex_;
  std::vector<Item> items_;
  std::deque<size_t> queue_;   // of this round
  std::vector<size_t> again_;  // of the next one
  size_t round_ = 0;
  bool stopped_ = false;
  std::optional<StartupProgress::Current> current_{};
  std::optional<Pace> pace_{};
};

}  // namespace rockllama
