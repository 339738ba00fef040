#include "api/completion_request.h"
#include "api/start_generation.h"

namespace rockllama::api {

void add_completions(http::Router& router, const Services& services) {
  router.add(
      "POST", "/v1/completions",
      [services](const std::shared_ptr<http::Request>& request, const std::shared_ptr<http::BodyWriter>& writer) {
        start_generation(services, kTextDialect, parse_completion_request(request->body), *request, writer);
      });
}

}  // namespace rockllama::api
