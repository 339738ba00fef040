#include "api/api.h"

#include <utility>

#include "api/authentication.h"
#include "api/call_limiter.h"

namespace rockllama::api {

void add_all(http::Router& router, const Services& services) {
  add_health(router, services);
  add_openapi(router, services);
  if (services.keys != nullptr && !services.keys->empty()) {
    router.set_guard(require_key(services.keys));
    if (services.limits.any()) {
      const auto limiter = std::make_shared<CallLimiter>(services.limits);
      router.set_wrap([limiter](http::Handler handler) { return limiter->limited(std::move(handler)); });
    }
  }
  add_models(router, services);
  add_caches(router, services);
  add_cache_archives(router, services);
  add_chat_completions(router, services);
  add_completions(router, services);
  add_responses(router, services);
  add_embeddings(router, services);
  add_tokens(router, services);
  add_input_tokens(router, services);
}

}  // namespace rockllama::api
