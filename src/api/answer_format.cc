#include "api/answer_format.h"

#include <utility>

#include "api/answer_check.h"
#include "api/json_schema.h"

namespace rockllama::api {
namespace {

constexpr const char* kAnyObject = R"({"type":"object"})";

std::string read_schema(FieldReader* holder) {
  const Json* schema = holder->object("schema");
  if (schema == nullptr) {
    holder->bad("schema", "must be an object");
    return {};
  }
  if (const auto problem = schema_problem(*schema)) holder->bad("schema", *problem);
  return schema->dump();
}

std::string read_wrapped_schema(FieldReader* format) {
  const Json* named = format->object("json_schema");
  if (named == nullptr) {
    format->bad("json_schema", "must be an object");
    return {};
  }
  FieldReader fields(*named, format->path_of("json_schema"));
  std::string schema = read_schema(&fields);
  if (fields.error()) format->fault(*fields.error());
  return schema;
}

}  // namespace

std::string read_answer_schema(FieldReader* format, WireForm form) {
  const std::string type = format->string("type").value_or("");
  if (type == "json_object") return kAnyObject;
  if (type == "json_schema") return form == WireForm::kChat ? read_wrapped_schema(format) : read_schema(format);
  if (type != "text") format->bad("type", "must be text, json_object or json_schema");
  return {};
}

void set_chat(ChatPrompt prompt, CompletionCall* call) {
  if (!prompt.answer_schema.empty()) {
    call->request.make_answer_check = [schema = prompt.answer_schema] { return make_answer_check(schema); };
  }
  call->request.prompt = std::move(prompt);
}

}  // namespace rockllama::api
