// All services of the server, made in order and ended in order.
#pragma once

#include <string>
#include <vector>

#include "service/cache_archives.h"
#include "service/caches.h"
#include "service/completions.h"
#include "service/context.h"
#include "service/model_pool.h"
#include "service/models.h"
#include "service/questions.h"
#include "service/startup_caches.h"
#include "service/state_builder.h"

namespace rockllama {

class Service {
 public:
  // Registry, store and executor outlive the service.
  Service(ServiceOptions options, ModelRegistry* registry, CacheStore* store, Executor* executor,
          WorkerFactory factory);
  // Ends all requests and workers, writes what workers and store hold back. Blocks.
  void stop();

  [[nodiscard]] Completions& completions() { return completions_; }
  [[nodiscard]] Questions& questions() { return questions_; }
  [[nodiscard]] Caches& caches() { return caches_; }
  [[nodiscard]] CacheArchives& archives() { return archives_; }
  [[nodiscard]] Models& models() { return models_; }
  [[nodiscard]] StartupCaches& startup_caches() { return startup_caches_; }

 private:
  void watch_store();
  void sweep_later();

  ServiceContext context_;
  StateBuilder builder_;
  ModelPool pool_;
  Completions completions_;
  Questions questions_;
  Caches caches_;
  CacheArchives archives_;
  Models models_;
  StartupCaches startup_caches_;
};

}  // namespace rockllama
