#include "api/api.h"

namespace rockllama::api {

void add_all(http::Router& router, const Services& services) {
  add_health(router, services);
  add_models(router, services);
  add_caches(router, services);
  add_chat_completions(router, services);
  add_completions(router, services);
}

}  // namespace rockllama::api
