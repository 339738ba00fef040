#include "service/service.h"

#include <utility>

#include "service/warm_up.h"

namespace rockllama {

Service::Service(ServiceOptions options, ModelRegistry* registry, CacheStore* store, Executor* executor,
                 WorkerFactory factory)
    : context_{.options = std::move(options),
               .registry = registry,
               .store = store,
               .executor = executor,
               .make_worker = std::move(factory)},
      builder_(&context_),
      pool_(&context_, [this](const std::shared_ptr<ModelHost>& host,
                              std::function<void()> done) { warm_up(&context_, host, std::move(done)); }),
      completions_(&context_),
      caches_(&context_),
      models_(&context_),
      startup_caches_(&context_, &caches_) {
  context_.pool = &pool_;
  context_.builder = &builder_;
}

void Service::stop() {
  startup_caches_.stop();
  pool_.stop();
  context_.store->flush();
}

}  // namespace rockllama
