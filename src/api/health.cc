#include "api/api.h"
#include "api/errors.h"
#include "api/model_json.h"
#include "api/startup_json.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

void health(const Services& services, http::BodyWriter& writer) {
  respond_json(writer, {{"status", "ok"},
                        {"models", readiness_json(services.models->readiness())},
                        {"startup_caches", startup_json(services.startup_caches->progress())}});
}

void ready(const Services& services, http::BodyWriter& writer) {
  const Readiness readiness = services.models->readiness();
  const StartupProgress startup = services.startup_caches->progress();
  const bool ready = readiness.ready && !startup.required_pending;
  respond_json(writer,
               {{"ready", ready}, {"models", readiness_json(readiness)}, {"startup_caches", startup_json(startup)}},
               ready ? 200 : 503);
}

}  // namespace

void add_health(http::Router& router, const Services& services) {
  for (const char* path : {"/health", "/v1/health"}) {
    router.add("GET", path, [services](const RequestPtr&, const WriterPtr& writer) { health(services, *writer); });
  }
  router.add("GET", "/ready", [services](const RequestPtr&, const WriterPtr& writer) { ready(services, *writer); });
  router.add("GET", "/", [version = services.version](const RequestPtr&, const WriterPtr& writer) {
    writer->respond({.content_type = "text/plain; charset=utf-8"},
                    "RockchipLlama " + version +
                        " serves the OpenAI API under /v1 and named prompt caches under /v1/cache; see /v1/models and "
                        "/health.\n");
  });
}

}  // namespace rockllama::api
