#include "api/chat_request.h"
#include "api/start_generation.h"

namespace rockllama::api {

void add_chat_completions(http::Router& router, const Services& services) {
  router.add(
      "POST", "/v1/chat/completions",
      [services](const std::shared_ptr<http::Request>& request, const std::shared_ptr<http::BodyWriter>& writer) {
        start_generation(services, kChatDialect, parse_chat_request(request->body, services.enable_thinking), *request,
                         writer);
      });
}

}  // namespace rockllama::api
