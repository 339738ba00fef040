#include "api/ask_model.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "api/completion_log.h"
#include "api/errors.h"
#include "base/clock.h"

namespace rockllama::api {
namespace {

void respond(CompletionLog log, const Result<OrderedJson>& body, http::BodyWriter& writer) {
  if (body) {
    respond_json(writer, *body);
  } else {
    log.status = status_of(body.error().code);
    log.error = body.error().message;
    respond_error(writer, body.error());
  }
  spdlog::info(log_line(log));
}

}  // namespace

void ask_model(Questions* questions, Result<ModelCall> call, const http::Request& request,
               const std::shared_ptr<http::BodyWriter>& writer) {
  CompletionLog log{.request_id = request.id, .caller = caller_of(request)};
  if (!call) return respond(std::move(log), fail(call.error()), *writer);
  log.model = call->model;
  const auto answer = [to_json = std::move(call->to_json), log, writer,
                       began_ms = steady_ms()](const Result<QuestionDone>& done) mutable {
    log.total_ms = steady_ms() - began_ms;
    if (!done) return respond(std::move(log), fail(done.error()), *writer);
    log.model = done->model;
    if (const auto* made = std::get_if<Embeddings>(&done->answer)) log.prompt_tokens = made->prompt_tokens;
    respond(std::move(log), to_json(*done), *writer);
  };
  const auto cancel = questions->ask({caller_of(request), call->model, std::move(call->question)}, answer);
  writer->watch(cancel, [] {});
}

}  // namespace rockllama::api
