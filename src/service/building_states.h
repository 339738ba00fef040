// Which states of caches are being made now, for those who look at the caches. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "domain/prompt_cache.h"

namespace rockllama {

class BuildingStates {
 public:
  struct Build {
    std::string model;
    std::string name;  // of the cache
    std::string engine;
    StateFormat format = StateFormat::kChat;
    double began_at = 0;  // Unix seconds
    bool operator==(const Build&) const = default;
  };

  void begin(const Build& build);
  void end(const Build& build);
  // Says of the cache's states which of them are being made. A ready one serves on until then, and stays ready here.
  void add_to(CacheInfo* info) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Build> builds_;
};

}  // namespace rockllama
