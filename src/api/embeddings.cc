// POST /v1/embeddings.
#include <spdlog/spdlog.h>

#include <utility>

#include "api/api.h"
#include "api/completion_log.h"
#include "api/embedding_json.h"
#include "api/embedding_request.h"
#include "api/errors.h"
#include "base/clock.h"
#include "service/questions.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

// Vectors that were not trained to be cut mean nothing when they are.
Status check_dimensions(const EmbeddingsCall& call, const Embeddings& made) {
  const size_t width = made.vectors.front().size();
  if (!call.dimensions || static_cast<size_t>(*call.dimensions) == width) return {};
  return fail(ErrorCode::kInvalidArgument,
              "dimensions is " + std::to_string(*call.dimensions) + ", but this model's embeddings have " +
                  std::to_string(width) + " and are not cut",
              "dimensions");
}

void refuse(CompletionLog log, const Error& error, http::BodyWriter& writer) {
  log.status = status_of(error.code);
  log.error = error.message;
  spdlog::info(log_line(log));
  respond_error(writer, error);
}

void respond(const EmbeddingsCall& call, CompletionLog log, const Result<QuestionDone>& done,
             http::BodyWriter& writer) {
  if (!done) return refuse(std::move(log), done.error(), writer);
  const auto& made = std::get<Embeddings>(done->answer);
  log.model = done->model;
  log.prompt_tokens = made.prompt_tokens;
  if (const Status fine = check_dimensions(call, made); !fine) return refuse(std::move(log), fine.error(), writer);
  respond_json(writer, embeddings_json(made, done->model, call.as_base64));
  spdlog::info(log_line(log));
}

void embed(Questions* questions, const RequestPtr& request, const WriterPtr& writer) {
  CompletionLog log{.request_id = request->id, .caller = caller_of(*request)};
  auto call = parse_embeddings_request(request->body);
  if (!call) return refuse(std::move(log), call.error(), *writer);
  log.model = call->model;
  QuestionRequest question{log.caller, call->model, std::move(call->question)};
  const auto cancel = questions->ask(
      std::move(question),
      [call = std::move(*call), log, writer, began_ms = steady_ms()](const Result<QuestionDone>& done) mutable {
        log.total_ms = steady_ms() - began_ms;
        respond(call, log, done, *writer);
      });
  writer->watch(cancel, [] {});
}

}  // namespace

void add_embeddings(http::Router& router, const Services& services) {
  router.add("POST", "/v1/embeddings",
             [questions = services.questions](const RequestPtr& request, const WriterPtr& writer) {
               embed(questions, request, writer);
             });
}

}  // namespace rockllama::api
