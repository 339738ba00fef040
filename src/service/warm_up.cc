#include "service/warm_up.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "service/cache_writer.h"

namespace rockllama {
namespace {

constexpr const char* kSystemCache = "system";

// A `system` cache that a person made or edited is never replaced.
bool ours(const ServiceContext& context, const std::string& model) {
  const auto info = context.store->find(model, kSystemCache, "");
  return !info || info->source == context.options.system_prompt_source;
}

void take_caches_along(ServiceContext* context, const ModelHost& host) {
  const std::string& model = host.entry().spec.name;
  const auto is_served = [context](const std::string& name) { return context->registry->find(name).has_value(); };
  const auto moved = context->store->move_along(model, host.fingerprint(), is_served);
  if (!moved) spdlog::warn("model {}: the caches of its old name were not moved: {}", model, moved.error().message);
  if (moved && !moved->empty()) spdlog::info("model {}: took along the caches of its old name {}", model, *moved);
}

}  // namespace

void warm_up(ServiceContext* context, const std::shared_ptr<ModelHost>& host, std::function<void()> done) {
  const std::string& model = host->entry().spec.name;
  take_caches_along(context, *host);
  const std::string text = context->options.system_prompt ? context->options.system_prompt() : "";
  if (text.empty() || !ours(*context, model)) return done();
  CreateCache request{
      .model = model, .name = kSystemCache, .text = text, .source = context->options.system_prompt_source};
  const auto report = [model, done = std::move(done)](const Result<CacheCreated>& created) {
    if (!created) {
      spdlog::warn("model {}: no system cache: {}", model, created.error().message);
    } else if (!created->warning.empty()) {
      spdlog::warn("model {}: system cache: {}", model, created->warning);
    } else {
      spdlog::info("model {}: system cache: {}", model, created->message);
    }
    done();
  };
  std::make_shared<CacheWriter>(context, host, std::move(request), Caches::OnProgress{}, report)->run();
}

}  // namespace rockllama
