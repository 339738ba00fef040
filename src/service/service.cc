#include "service/service.h"

#include <utility>

#include "service/warm_up.h"

namespace rockllama {
namespace {

constexpr int64_t kSweepMs = 60'000;  // of caches whose time is over

}  // namespace

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
      questions_(&context_),
      caches_(&context_),
      archives_(&context_),
      models_(&context_),
      startup_caches_(&context_, &caches_) {
  context_.pool = &pool_;
  context_.builder = &builder_;
  watch_store();
  sweep_later();
}

// Workers hear what changed before the call that changed it returns.
void Service::watch_store() {
  context_.store->set_listener([this](const std::string& model, const std::string& /*name*/) {
    if (const auto host = pool_.find(model)) host->states().refresh();
  });
}

// Ends with the executor.
void Service::sweep_later() {
  context_.executor->post_after(kSweepMs, [this] {
    context_.store->sweep();
    sweep_later();
  });
}

void Service::stop() {
  startup_caches_.stop();
  pool_.stop();
  context_.store->set_listener({});
  context_.store->flush();
}

}  // namespace rockllama
