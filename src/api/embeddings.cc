// POST /v1/embeddings.
#include <utility>

#include "api/ask_model.h"
#include "api/embedding_json.h"
#include "api/embedding_request.h"

namespace rockllama::api {
namespace {

// Vectors that were not trained to be cut mean nothing when they are.
Status check_dimensions(const std::optional<int32_t>& asked, const Embeddings& made) {
  const size_t width = made.vectors.front().size();
  if (!asked || static_cast<size_t>(*asked) == width) return {};
  return fail(ErrorCode::kInvalidArgument,
              "dimensions is " + std::to_string(*asked) + ", but this model's embeddings have " +
                  std::to_string(width) + " and are not cut",
              "dimensions");
}

Result<ModelCall> embeddings_call(const std::string& body) {
  auto call = parse_embeddings_request(body);
  if (!call) return fail(call.error());
  const auto to_json = [dimensions = call->dimensions,
                        as_base64 = call->as_base64](const QuestionDone& done) -> Result<OrderedJson> {
    const auto& made = std::get<Embeddings>(done.answer);
    if (const Status fine = check_dimensions(dimensions, made); !fine) return fail(fine.error());
    return embeddings_json(made, done.model, as_base64);
  };
  return ModelCall{call->model, std::move(call->question), to_json};
}

}  // namespace

void add_embeddings(http::Router& router, const Services& services) {
  add_question(router, services.questions, "/v1/embeddings", embeddings_call);
}

}  // namespace rockllama::api
