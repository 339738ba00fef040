// The flows around models: which there are, load, unload, idle unload, which one a request means.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/model.h"
#include "supervisor/model_worker.h"

namespace rockllama {

struct ServiceContext;

struct ModelStatus {
  std::string name;
  std::string filename;
  std::string path;  // relative to the models folder
  uint64_t size_bytes = 0;
  double modified_at = 0;  // Unix seconds
  EngineKind engine = EngineKind::kLlamaCpp;
  bool loaded = false;
  bool loading = false;
  LoadedModel details{};              // of a loaded one; else empty
  std::string failure{};              // why its last load failed, or why it serves no more
  WorkerLog log{};                    // of its worker, also of one that failed
  std::string saving_problem{};       // why no states of it are saved; empty = they are, or it is not loaded
  std::vector<std::string> caches{};  // names, for the aliases name@cache
};

// What a model can do that is loading or failed, for /ready and /health.
struct Readiness {
  bool ready = false;  // a model can answer: one is loaded, or none was to be preloaded and one exists
  std::vector<std::string> loaded;
  std::vector<std::string> loading;
  std::vector<std::string> failed;  // "name: why"
};

class Models {
 public:
  explicit Models(ServiceContext* context) : context_(context) {}

  // Executor only: they look at the disk.
  [[nodiscard]] std::vector<ModelStatus> list();
  [[nodiscard]] Result<ModelStatus> find(const std::string& name);  // kModelNotFound
  // Looks into the models folder where no model is loaded or loading: executor only.
  [[nodiscard]] Readiness readiness();

  using Done = std::function<void(Status)>;
  // Empty `name`: the loaded one, else the default, else the only one. `done` comes when the model can answer, or with
  // kModelNotFound, kUnavailable, kInternal.
  void load(const std::string& name, Done done);
  // Finishes what runs, then ends the worker. kModelNotFound when there is no such model; fine when not loaded.
  void unload(const std::string& name, Done done);

 private:
  ServiceContext* context_;
};

}  // namespace rockllama
