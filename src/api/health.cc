#include "api/api.h"
#include "api/errors.h"
#include "api/model_json.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

void health(Models* models, http::BodyWriter& writer) {
  respond_json(writer, {{"status", "ok"}, {"models", readiness_json(models->readiness())}});
}

void ready(Models* models, http::BodyWriter& writer) {
  const Readiness readiness = models->readiness();
  respond_json(writer, {{"ready", readiness.ready}, {"models", readiness_json(readiness)}},
               readiness.ready ? 200 : 503);
}

}  // namespace

void add_health(http::Router& router, const Services& services) {
  Models* models = services.models;
  for (const char* path : {"/health", "/v1/health"}) {
    router.add("GET", path, [models](const RequestPtr&, const WriterPtr& writer) { health(models, *writer); });
  }
  router.add("GET", "/ready", [models](const RequestPtr&, const WriterPtr& writer) { ready(models, *writer); });
  router.add("GET", "/", [version = services.version](const RequestPtr&, const WriterPtr& writer) {
    writer->respond({.content_type = "text/plain; charset=utf-8"},
                    "RockchipLlama " + version +
                        " serves the OpenAI API under /v1 and named prompt caches under /v1/cache; see /v1/models and "
                        "/health.\n");
  });
}

}  // namespace rockllama::api
