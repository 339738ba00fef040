#include "api/endpoint_map.h"

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/start_generation.h"

namespace rockllama::api {
namespace {

http::Handler handler(const Services& services, const Endpoint& endpoint) {
  return [services, endpoint](const std::shared_ptr<http::Request>& request,
                              const std::shared_ptr<http::BodyWriter>& writer) {
    const bool chat = endpoint.kind == Endpoint::Kind::kChat;
    auto call =
        chat ? parse_chat_request(request->body, services.enable_thinking) : parse_completion_request(request->body);
    if (call) fill_in(endpoint, &call->request);
    start_generation(services, chat ? kChatDialect : kTextDialect, std::move(call), *request, writer);
  };
}

}  // namespace

std::vector<std::string> add_endpoint_map(http::Router& router, const Services& services,
                                          const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> faults;
  for (const Endpoint& endpoint : endpoints) {
    if (!router.match("POST", endpoint.path).allowed.empty()) {
      faults.push_back("endpoints." + endpoint.path + ": the server has that path itself");
    } else {
      router.add("POST", endpoint.path, handler(services, endpoint));
    }
  }
  return faults;
}

void fill_in(const Endpoint& endpoint, CompletionRequest* request) {
  const bool names_cache = !request->use_cache.empty() || !request->use_cache_problem.empty() ||
                           request->model.find('@') != std::string::npos;
  if (!names_cache && !endpoint.cache.empty()) request->use_cache = {endpoint.cache};
  if (request->model.empty()) request->model = endpoint.model;
}

}  // namespace rockllama::api
