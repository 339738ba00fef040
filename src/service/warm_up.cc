#include "service/warm_up.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "service/cache_writer.h"

namespace rockllama {
namespace {

constexpr const char* kSystemCache = "system";

// Stores the text where it is not yet what the cache holds; says whether its state is to be made. A `system` cache of
// another source, a hand edit too, is never replaced.
Result<bool> put_text(ServiceContext* context, const std::string& model, const std::string& text) {
  const std::string& source = context->options.system_prompt_source;
  const auto info = context->store->find(model, kSystemCache, "");
  if (!info && info.error().code != ErrorCode::kNotFound) return fail(info.error());
  if (info && info->source != source) return false;
  if (const auto stored = context->store->text(model, kSystemCache); stored && *stored == text) return true;
  const Status put = context->store->commit(model, kSystemCache, text, {}, {.source = source});
  if (!put) return fail(put.error());
  return true;
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
  if (text.empty()) return done();
  const auto put = put_text(context, model, text);
  if (!put) spdlog::warn("model {}: no system cache: {}", model, put.error().message);
  if (!put || !*put) return done();
  // Only a state is added: what somebody makes of the cache meanwhile stays.
  CreateCache request{.model = model,
                      .name = kSystemCache,
                      .text = text,
                      .source = context->options.system_prompt_source,
                      .keeps_text = true};
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
