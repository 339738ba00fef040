#include "api/api.h"

#include "api/authentication.h"

namespace rockllama::api {

void add_all(http::Router& router, const Services& services) {
  add_health(router, services);
  if (services.keys != nullptr && !services.keys->empty()) router.set_guard(require_key(services.keys));
  add_models(router, services);
  add_caches(router, services);
  add_cache_archives(router, services);
  add_chat_completions(router, services);
  add_completions(router, services);
  add_embeddings(router, services);
  add_tokens(router, services);
  add_input_tokens(router, services);
}

}  // namespace rockllama::api
