#include "api/embedding_request.h"

#include <limits>
#include <utility>

#include "api/field_reader.h"
#include "api/token_ids.h"

namespace rockllama::api {
namespace {

constexpr size_t kMaxInputs = 2048;
constexpr const char* kInputRule =
    "must be a text, a list of texts, a list of token ids, or a list of such lists, none of them empty";

std::optional<EmbeddingInput> read_input(const Json& value) {
  if (value.empty()) return std::nullopt;
  if (value.is_array()) return read_token_ids(value);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return std::nullopt;
  return value.get<std::string>();
}

void add_input(FieldReader* fields, const std::string& path, const Json& value, EmbeddingsQuestion* question) {
  auto input = read_input(value);
  if (!input) return fields->fault(ErrorCode::kInvalidArgument, path + " " + kInputRule, path);
  question->inputs.push_back(std::move(*input));
}

EmbeddingsQuestion read_inputs(FieldReader* fields) {
  EmbeddingsQuestion question;
  const Json* input = fields->find("input");
  if (input == nullptr || (input->is_array() && input->empty())) {
    fields->bad("input", kInputRule);
  } else if (!input->is_array() || input->front().is_number()) {
    add_input(fields, "input", *input, &question);
  } else if (input->size() > kMaxInputs) {
    fields->bad("input", "must have at most " + std::to_string(kMaxInputs) + " entries");
  } else {
    for (size_t i = 0; i < input->size() && !fields->error(); ++i) {
      add_input(fields, "input[" + std::to_string(i) + "]", (*input)[i], &question);
    }
  }
  return question;
}

bool read_as_base64(FieldReader* fields) {
  const std::string format = fields->string("encoding_format").value_or("float");
  if (format != "float" && format != "base64") fields->bad("encoding_format", "must be float or base64");
  return format == "base64";
}

}  // namespace

Result<EmbeddingsCall> parse_embeddings_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  EmbeddingsCall call;
  call.model = fields.string("model").value_or("");
  call.question = read_inputs(&fields);
  call.as_base64 = read_as_base64(&fields);
  call.dimensions = fields.integer("dimensions", {1, std::numeric_limits<int32_t>::max()});
  if (fields.error()) return fail(*fields.error());
  return call;
}

}  // namespace rockllama::api
