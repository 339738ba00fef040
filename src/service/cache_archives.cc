#include "service/cache_archives.h"

#include <memory>
#include <utility>

#include "base/clock.h"
#include "service/context.h"
#include "service/model_pool.h"
#include "service/state_builder.h"

namespace rockllama {
namespace {

// One archive, from its verification to the answer.
struct ArrivingCache {
  ServiceContext* context;
  ImportCache request;
  UniqueFd file;
  ByteSource source{};
  OpenArchive open{};
  CacheArchives::Imported done;

  Result<ModelEntry> verify() {
    auto entry = context->registry->find(request.model);
    if (!entry) return fail(entry.error());
    auto bytes = descriptor_source(file.get());
    if (!bytes) return fail(bytes.error());
    source = std::move(*bytes);
    auto read = read_archive(source);
    if (!read) return fail(read.error());
    open = std::move(*read);
    return entry;
  }

  // `lease` may be empty: the model is not there to hold the states against.
  void take_in(const ModelLease& lease) {
    const ImportOrder order{.model = request.model,
                            .name = request.name,
                            .overwrite = request.overwrite,
                            .fingerprint = lease ? lease->fingerprint() : "",
                            .now = unix_seconds()};
    const auto imported = import_archive(context->store, source, open, order);
    if (imported && lease) {
      const auto keep = std::make_shared<ModelLease>(lease);
      for (const ImportedState& state : imported->states) {
        if (!state.kept) context->builder->rebuild(lease.host(), imported->name, state.format, keep);
      }
    }
    done(imported);
  }
};

}  // namespace

Result<CacheExport> CacheArchives::export_cache(const std::string& model, const std::string& name, bool with_states) {
  auto bytes = rockllama::export_cache(context_->store, model, name, with_states);
  if (bytes || bytes.error().code != ErrorCode::kNotFound) return bytes;
  return fail(ErrorCode::kNotFound, "there is no cache '" + name + "' of model '" + model + "'", "cache_name");
}

void CacheArchives::import_cache(ImportCache request, UniqueFd file, Imported done) {
  const auto arriving = std::make_shared<ArrivingCache>(ArrivingCache{
      .context = context_, .request = std::move(request), .file = std::move(file), .done = std::move(done)});
  context_->executor->post([context = context_, arriving] {
    const auto entry = arriving->verify();
    if (!entry) return arriving->done(fail(entry.error()));
    if (arriving->open.archive.cache.states.empty() || !context->make_worker) return arriving->take_in({});
    context->pool->acquire(*entry, [context, arriving](const Result<ModelLease>& lease) {
      context->executor->post([arriving, lease = lease.value_or(ModelLease())] { arriving->take_in(lease); });
    });
  });
}

Result<UniqueFd> CacheArchives::open_spool() { return context_->store->open_spool(); }

}  // namespace rockllama
