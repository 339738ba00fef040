#include "service/models.h"

#include <algorithm>
#include <utility>

#include "service/context.h"
#include "service/model_choice.h"
#include "service/model_pool.h"

namespace rockllama {
namespace {

void add_failure(const ModelFailure& failure, ModelStatus* status) {
  status->loading = false;
  status->failure = failure.error.message;
  status->log.lines = failure.log;
}

void add_load_state(ServiceContext* context, ModelStatus* status) {
  for (const ModelPool::Loaded& model : context->pool->loaded()) {
    if (model.host->entry().spec.name != status->name) continue;
    status->loaded = model.host->ready();
    status->loading = !status->loaded;
    if (status->loaded) status->details = model.host->model();
    status->log = model.host->log();
    status->saving_problem = context->store->save_crashes().reason(model.host->fingerprint()).value_or("");
    if (const auto failure = model.host->failure()) add_failure(*failure, status);
  }
}

ModelStatus status_of(ServiceContext* context, const ModelEntry& entry) {
  ModelStatus status{.name = entry.spec.name,
                     .filename = entry.filename,
                     .path = entry.path,
                     .size_bytes = entry.size_bytes,
                     .modified_at = entry.modified_at,
                     .engine = entry.spec.engine};
  const auto failures = context->pool->failures();
  if (const auto failure = failures.find(status.name); failure != failures.end()) add_failure(failure->second, &status);
  add_load_state(context, &status);
  if (const auto caches = context->store->list(entry.spec.name, "")) {
    for (const CacheInfo& cache : *caches) status.caches.push_back(cache.cache_name);
  }
  return status;
}

// A model that is not loaded yet is loaded by the first request for it.
bool one_is_loadable(ServiceContext* context, const std::map<std::string, ModelFailure>& failures) {
  const auto models = context->registry->scan();
  return std::any_of(models.begin(), models.end(),
                     [&](const ModelEntry& entry) { return !failures.contains(entry.spec.name); });
}

}  // namespace

std::vector<ModelStatus> Models::list() {
  std::vector<ModelStatus> result;
  for (const ModelEntry& entry : context_->registry->scan()) result.push_back(status_of(context_, entry));
  return result;
}

Result<ModelStatus> Models::find(const std::string& name) {
  const auto entry = context_->registry->find(name);
  if (!entry) return tl::unexpected(entry.error());
  return status_of(context_, *entry);
}

Readiness Models::readiness() {
  Readiness result;
  auto failures = context_->pool->failures();
  for (const ModelPool::Loaded& model : context_->pool->loaded()) {
    const std::string& name = model.host->entry().spec.name;
    if (const auto failure = model.host->failure()) {
      failures[name] = *failure;
    } else {
      (model.host->ready() ? result.loaded : result.loading).push_back(name);
    }
  }
  for (const auto& [name, failure] : failures) result.failed.push_back(name + ": " + failure.error.message);
  result.ready = !result.loaded.empty() || (result.loading.empty() && one_is_loadable(context_, failures));
  return result;
}

void Models::load(const std::string& name, Done done) {
  context_->executor->post([context = context_, name, done = std::move(done)]() mutable {
    const auto choice = choose_model(context, name);
    if (!choice) return done(tl::unexpected(choice.error()));
    context->pool->forgive(choice->entry.spec.name);
    context->pool->acquire(choice->entry, [done = std::move(done)](const Result<ModelLease>& lease) {
      lease ? done({}) : done(tl::unexpected(lease.error()));
    });
  });
}

void Models::unload(const std::string& name, Done done) {
  context_->executor->post([context = context_, name, done = std::move(done)]() mutable {
    const auto choice = choose_model(context, name);
    if (!choice) return done(tl::unexpected(choice.error()));
    context->pool->unload(choice->entry.spec.name, std::move(done));
  });
}

}  // namespace rockllama
