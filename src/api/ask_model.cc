#include "api/ask_model.h"

#include <utility>

#include "api/completion_log.h"
#include "base/clock.h"

namespace rockllama::api {
namespace {

// Answers the request, now or later, also with the error of `call`.
void ask_model(Questions* questions, Result<ModelCall> call, const http::Request& request,
               const std::shared_ptr<http::BodyWriter>& writer) {
  CompletionLog log{.request_id = request.id, .caller = caller_of(request)};
  if (!call) return respond_logged(std::move(log), fail(call.error()), *writer);
  log.model = call->model;
  const auto answer = [to_json = std::move(call->to_json), log, writer,
                       began_ms = steady_ms()](const Result<QuestionDone>& done) mutable {
    log.total_ms = steady_ms() - began_ms;
    if (!done) return respond_logged(std::move(log), fail(done.error()), *writer);
    log.model = done->model;
    if (const auto* made = std::get_if<Embeddings>(&done->answer)) log.prompt_tokens = made->prompt_tokens;
    respond_logged(std::move(log), to_json(*done), *writer);
  };
  const auto cancel = questions->ask({caller_of(request), call->model, std::move(call->question)}, answer);
  writer->watch(cancel, [] {});
}

}  // namespace

void add_question(http::Router& router, Questions* questions, const char* path, ReadQuestion read) {
  router.add("POST", path,
             [questions, read = std::move(read)](const std::shared_ptr<http::Request>& request,
                                                 const std::shared_ptr<http::BodyWriter>& writer) {
               ask_model(questions, read(request->body), *request, writer);
             });
}

}  // namespace rockllama::api
