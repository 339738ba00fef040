// POST /v1/chat/completions/input_tokens: what a chat would count, without a run.
#include <utility>

#include "api/api.h"
#include "api/chat_request.h"
#include "api/completion_log.h"

namespace rockllama::api {
namespace {

void answer(CompletionLog log, const CompletionEvent& event, http::BodyWriter& writer) {
  if (const auto* counted = std::get_if<CompletionCounted>(&event)) {
    log.model = counted->model;
    log.prompt_tokens = counted->prompt_tokens;
    const OrderedJson body = {{"object", "response.input_tokens"}, {"input_tokens", counted->prompt_tokens}};
    respond_logged(std::move(log), body, writer);
  } else if (const auto* error = std::get_if<Error>(&event)) {
    respond_logged(std::move(log), fail(*error), writer);
  }
}

void count(const Services& services, const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer) {
  CompletionLog log{.request_id = request.id, .caller = caller_of(request)};
  auto call = parse_chat_request(request.body, services.enable_thinking);
  if (!call) return answer(std::move(log), call.error(), *writer);
  log.model = call->request.model;
  call->request.request_id = request.id;
  call->request.caller = log.caller;
  call->request.only_count = true;
  const auto handle = services.completions->run(
      std::move(call->request), 1, [log, writer](const CompletionEvent& event) { answer(log, event, *writer); });
  writer->watch([handle] { handle.cancel(); }, [] {});
}

}  // namespace

void add_input_tokens(http::Router& router, const Services& services) {
  router.add("POST", "/v1/chat/completions/input_tokens",
             [services](const std::shared_ptr<http::Request>& request,
                        const std::shared_ptr<http::BodyWriter>& writer) { count(services, *request, writer); });
}

}  // namespace rockllama::api
