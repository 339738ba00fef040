// What all services share. Made by main, outlives every service.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cache/cache_store.h"
#include "domain/model.h"
#include "models/model_registry.h"
#include "supervisor/model_worker.h"

namespace rockllama {

class ModelPool;
class StateBuilder;

// Makes the worker of a model and begins to load it; events may come before it returns. `model_bytes` scales the
// patience with the load.
using WorkerFactory =
    std::function<std::unique_ptr<ModelWorker>(const ModelSpec& spec, uint64_t model_bytes, WorkerSink sink)>;

struct ServiceOptions {
  std::string default_model{};
  std::string default_cache{};
  int max_loaded = 2;
  double keep_alive_s = 1800;    // 0 = for ever
  int queue_limit = 64;          // requests per model that wait or run
  double load_timeout_s = 120;   // how long a request waits for a load or a restart
  bool automatic_files = false;  // conversations that leave the memory may go to disk
  // Text of the `system` cache, asked for at each load on the executor; unset or an empty text = none.
  std::function<std::string()> system_prompt{};
  std::string system_prompt_source{};
  std::vector<int64_t> startup_pauses_ms{2000, 10'000, 60'000};  // before each further try of startup caches
};

struct ServiceContext {
  ServiceOptions options;
  ModelRegistry* registry = nullptr;
  CacheStore* store = nullptr;
  Executor* executor = nullptr;
  WorkerFactory make_worker;
  ModelPool* pool = nullptr;
  StateBuilder* builder = nullptr;
  std::atomic<RequestId> last_id{0};

  [[nodiscard]] RequestId next_id() { return ++last_id; }
};

}  // namespace rockllama
