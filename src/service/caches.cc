#include "service/caches.h"

#include <utility>

#include "base/clock.h"
#include "cache/cache_content.h"
#include "service/break_even.h"
#include "service/cache_writer.h"
#include "service/context.h"
#include "service/model_pool.h"

namespace rockllama {
namespace {

std::string no_cache(const std::string& name) { return "there is no cache '" + name + "'"; }

// The fingerprint of a model that is loaded now, else empty: what its states are held against.
std::string current_fingerprint(ServiceContext* context, const std::string& model) {
  const auto host = context->pool->find(model);
  return host ? host->fingerprint() : "";
}

Status check_name(ServiceContext* context, const CreateCache& request) {
  if (!request.known_name && !valid_cache_name(request.name)) {
    return fail(ErrorCode::kInvalidArgument, kCacheNameRule, "cache_name");
  }
  if (request.overwrite) return {};
  const auto found = context->store->find(request.model, request.name, "");
  if (found) return fail(ErrorCode::kConflict, "cache '" + request.name + "' exists already", "cache_name");
  return found.error().code == ErrorCode::kNotFound ? Status{} : fail(found.error());
}

Status check_new(ServiceContext* context, const CreateCache& request) {
  if (const Status named = check_name(context, request); !named) return named;
  if (request.text.empty()) return fail(ErrorCode::kInvalidArgument, "the text of a cache must not be empty", "prompt");
  const auto line = line_of(context->store, request);
  if (!line) return fail(line.error());
  if (request.format != CacheFormatChoice::kRaw || is_text(*line)) return {};
  return fail(ErrorCode::kInvalidArgument, "format must be both or chat: messages and tools have no raw rendering",
              "format");
}

Result<CacheCreated> create_text(ServiceContext* context, const CreateCache& request) {
  const auto status =
      context->store->commit(request.model, request.name, request.text, {}, cache_attributes(request, unix_seconds()));
  if (!status) return tl::unexpected(status.error());
  CacheCreated created{.model = request.model,
                       .name = request.name,
                       .size_bytes = request.text.size(),
                       .message = "Text cache stored; its state is made by generate-binary or at first use"};
  // It was there with the same text, and its states stay.
  const auto info = context->store->find(request.model, request.name, current_fingerprint(context, request.model));
  for (const StateInfo& state : info ? info->binary : std::vector<StateInfo>{}) {
    if (state.status != StateStatus::kReady) continue;
    created.binary = true;
    created.states.push_back(state.format);
    created.size_bytes += state.size_bytes;
    created.prompt_tokens = created.prompt_tokens == 0 ? state.tokens : created.prompt_tokens;
  }
  if (created.binary) created.message = "Text cache stored; its state is up to date";
  return created;
}

}  // namespace

std::string stored_text(const CacheContent& content) { return encode_content(content); }

void Caches::create(CreateCache request, OnProgress progress, Created done) {
  context_->executor->post([context = context_, request = std::move(request), progress = std::move(progress),
                            done = std::move(done)]() mutable {
    const auto entry = context->registry->find(request.model);
    if (!entry) return done(tl::unexpected(entry.error()));
    if (const auto status = check_new(context, request); !status) return done(tl::unexpected(status.error()));
    if (request.format == CacheFormatChoice::kTextOnly) return done(create_text(context, request));
    context->pool->acquire(*entry, [context, request = std::move(request), progress = std::move(progress),
                                    done = std::move(done)](Result<ModelLease> lease) {
      if (!lease) return done(tl::unexpected(lease.error()));
      auto keep = std::make_shared<ModelLease>(*lease);
      auto writer = std::make_shared<CacheWriter>(context, lease->host(), request, progress, done, keep);
      context->executor->post([writer] { writer->run(); });
    });
  });
}

void Caches::generate_binary(const std::string& model, const std::string& name, std::optional<std::string> text,
                             OnProgress progress, Created done) {
  context_->executor->post(
      [this, model, name, text = std::move(text), progress = std::move(progress), done = std::move(done)] {
        CreateCache request{.model = model, .name = name};
        const auto known = context_->store->find(model, name, "");
        request.known_name = known.has_value();
        if (known) request.parent = known->parent;
        request.keeps_text = !text;
        if (text) {
          request.text = *text;
        } else {
          auto stored = context_->store->text(model, name);
          if (!stored)
            return done(fail(ErrorCode::kNotFound, no_cache(name) + " with a text, and no prompt", "cache_name"));
          request.text = std::move(*stored);
        }
        create(std::move(request), progress, done);
      });
}

Result<std::map<std::string, std::vector<CacheInfo>>> Caches::list_all() {
  std::map<std::string, std::vector<CacheInfo>> result;
  for (const std::string& model : context_->store->models()) {
    auto infos = context_->store->list(model, current_fingerprint(context_, model));
    if (!infos) return tl::unexpected(infos.error());
    for (CacheInfo& info : *infos) context_->builder->building().add_to(&info);
    result[model] = std::move(*infos);
  }
  return result;
}

CacheStats Caches::stats(const std::optional<std::string>& model) {
  CacheStats stats{.use = context_->store->use()};
  for (const ModelPool::Loaded& loaded : context_->pool->loaded()) {
    if (!loaded.host->ready() || (model && *model != loaded.host->entry().spec.name)) continue;
    const EngineFigures figures = loaded.host->figures();
    stats.models[loaded.host->entry().spec.name] = {
        figures, break_even_tokens(loaded.host->model().kv_bytes_per_token, figures)};
  }
  return stats;
}

Result<std::vector<CacheInfo>> Caches::list(const std::string& model) {
  auto infos = context_->store->list(model, current_fingerprint(context_, model));
  const bool nothing = !infos || infos->empty();
  if (nothing) {
    if (const auto entry = context_->registry->find(model); !entry) return tl::unexpected(entry.error());
    return std::vector<CacheInfo>{};
  }
  for (CacheInfo& info : *infos) context_->builder->building().add_to(&info);
  return infos;
}

Result<Caches::Content> Caches::get(const std::string& model, const std::string& name) {
  auto info = context_->store->find(model, name, current_fingerprint(context_, model));
  if (!info) return fail(ErrorCode::kNotFound, no_cache(name) + " of model '" + model + "'", "cache_name");
  context_->builder->building().add_to(&*info);
  Content content{.info = std::move(*info), .text = {}};
  if (auto text = context_->store->text(model, name)) content.text = std::move(*text);
  return content;
}

Status Caches::remove(const std::string& model, const std::string& name, const Removal& removal) {
  const auto found = context_->store->find(model, name, "");
  if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
  if (!found) return fail(ErrorCode::kNotFound, no_cache(name) + " of model '" + model + "'", "cache_name");
  if (removal.states_only) return context_->store->remove_states(model, name);
  return context_->store->remove(model, name, removal.cascade);
}

}  // namespace rockllama
