#include "api/openapi.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "api/api.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

constexpr const char* kJson = "application/json";

// Names of schemas, or media types; empty = none.
struct Operation {
  const char* method;
  const char* path;
  const char* tag;
  const char* summary;
  const char* request;
  const char* answer;
  const char* statuses;    // beside 200, of errors
  const char* query = "";  // names of parameters
  bool streams = false;    // may answer with server-sent events
};

constexpr const char* kModelStatuses = "400 401 404 413 429 500 503";
constexpr const char* kCacheStatuses = "400 401 404 429 500";
constexpr const char* kCreateStatuses = "400 401 404 409 413 429 500 503 507";

constexpr std::array kOperations = {
    Operation{"post", "/v1/chat/completions", "Completions", "Answers a chat", "ChatRequest", "ChatCompletion",
              kModelStatuses, "", true},
    Operation{"post", "/v1/completions", "Completions", "Continues a text", "CompletionRequest", "TextCompletion",
              kModelStatuses, "", true},
    Operation{"post", "/v1/responses", "Responses", "Answers a conversation, and keeps the answer to go on from",
              "ResponseRequest", "Response", kModelStatuses, "", true},
    Operation{"get", "/v1/responses/{id}", "Responses", "Shows a stored response", "", "Response", "400 401 404 429",
              "stream"},
    Operation{"delete", "/v1/responses/{id}", "Responses", "Forgets a stored response", "", "ResponseDeleted",
              "401 404 429"},
    Operation{"post", "/v1/embeddings", "Embeddings", "Gives a vector for each input", "EmbeddingsRequest",
              "EmbeddingList", kModelStatuses},
    Operation{"post", "/v1/chat/completions/input_tokens", "Tokens", "Counts the tokens of a chat without a run",
              "ChatRequest", "InputTokens", kModelStatuses},
    Operation{"post", "/tokenize", "Tokens", "Turns a text into tokens", "TokenizeRequest", "Tokens", kModelStatuses},
    Operation{"post", "/detokenize", "Tokens", "Turns tokens into a text", "DetokenizeRequest", "Content",
              kModelStatuses},
    Operation{"post", "/apply-template", "Tokens", "Renders a chat as the model is given it", "ChatRequest", "Prompt",
              kModelStatuses},
    Operation{"get", "/v1/models", "Models", "Lists the models and their aliases", "", "ModelList", "401 429"},
    Operation{"get", "/v1/models/{id}", "Models", "Shows a model", "", "Model", "401 404 429"},
    Operation{"get", "/v1/models/loaded", "Models", "Says which models are loaded", "", "LoadedModels", "401 429"},
    Operation{"get", "/v1/models/available", "Models", "Lists the models of the folder", "", "AvailableModels",
              "401 429"},
    Operation{"post", "/v1/models/load", "Models", "Loads a model", "ModelName", "LoadAnswer", kModelStatuses},
    Operation{"post", "/v1/models/unload", "Models", "Unloads a model", "ModelName", "LoadAnswer", kModelStatuses},
    Operation{"get", "/v1/cache", "Prompt caches", "Lists the caches of all models", "", "CacheLists", "401 429 500"},
    Operation{"get", "/v1/cache/{model}", "Prompt caches", "Lists the caches of a model", "", "CacheList",
              kCacheStatuses},
    Operation{"post", "/v1/cache/{model}", "Prompt caches", "Creates a cache", "CacheRequest", "CacheCreated",
              kCreateStatuses, "", true},
    Operation{"post", "/v1/cache/{model}/generate-binary", "Prompt caches", "Makes the state of a text", "StateRequest",
              "CacheCreated", kCreateStatuses, "", true},
    Operation{"get", "/v1/cache/{model}/{name}", "Prompt caches", "Shows a cache with its text", "", "Cache",
              kCacheStatuses},
    Operation{"delete", "/v1/cache/{model}/{name}", "Prompt caches", "Removes a cache, or its states", "",
              "CacheDeleted", "400 401 404 409 429 500", "binary_only cascade"},
    Operation{"get", "/v1/cache/{model}/{name}/export", "Prompt caches", "Gives a cache as one file", "",
              "application/x-tar", kCacheStatuses, "states"},
    Operation{"post", "/v1/cache/{model}/import", "Prompt caches", "Takes an exported cache", "application/x-tar",
              "CacheImported", kCreateStatuses, "name overwrite"},
    Operation{"get", "/health", "Server", "Says that the server runs", "", "Health", ""},
    Operation{"get", "/v1/health", "Server", "Says that the server runs", "", "Health", ""},
    Operation{"get", "/ready", "Server", "Says whether a model can answer", "", "Readiness", ""},
    Operation{"get", "/", "Server", "Says what runs here", "", "text/plain", ""},
    Operation{"get", "/openapi.json", "Server", "This document", "", "Document", ""},
    Operation{"get", "/docs", "Server", "A page that shows this document", "", "text/html", ""},
};

const std::vector<std::pair<const char*, const char*>>& error_statuses() {
  static const std::vector<std::pair<const char*, const char*>> statuses = {
      {"400", "A field has a bad value, or asks for what is not served"},
      {"401", "No valid API key"},
      {"404", "There is no such model, cache or response"},
      {"409", "It exists, others continue it, or it was changed meanwhile"},
      {"413", "Over a size limit"},
      {"429", "Too many requests; with Retry-After"},
      {"500", "A fault of the server"},
      {"503", "Not ready in time; with Retry-After"},
      {"507", "No space left"}};
  return statuses;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

OrderedJson schema_reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

// `what`: the name of a schema, or a media type.
OrderedJson content_of(const std::string& what) {
  if (what.find('/') == std::string::npos) return {{kJson, {{"schema", schema_reference(what)}}}};
  return {{what, {{"schema", {{"type", "string"}}}}}};
}

OrderedJson parameters_of(const Operation& operation) {
  OrderedJson parameters = OrderedJson::array();
  const std::string path = operation.path;
  for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    const std::string name = path.substr(open + 1, path.find('}', open) - open - 1);
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const std::string& name : words_of(operation.query)) {
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

OrderedJson responses_of(const Operation& operation) {
  OrderedJson good = {{"description", "Done"}, {"content", content_of(operation.answer)}};
  if (operation.streams) good["content"]["text/event-stream"]["schema"] = schema_reference("Event");
  OrderedJson responses = {{"200", std::move(good)}};
  for (const std::string& status : words_of(operation.statuses)) {
    responses[status] = {{"$ref", "#/components/responses/" + status}};
  }
  if (std::string_view(operation.path) == "/ready") {
    responses["503"] = {{"description", "Not yet"}, {"content", content_of(operation.answer)}};
  }
  return responses;
}

OrderedJson operation_json(const Operation& operation) {
  OrderedJson json = {{"tags", {operation.tag}}, {"summary", operation.summary}};
  if (std::string_view(operation.tag) == "Server") json["security"] = OrderedJson::array();
  OrderedJson parameters = parameters_of(operation);
  if (!parameters.empty()) json["parameters"] = std::move(parameters);
  if (*operation.request != '\0') json["requestBody"] = {{"content", content_of(operation.request)}};
  json["responses"] = responses_of(operation);
  return json;
}

OrderedJson schemas() {
  OrderedJson schemas = OrderedJson::parse(openapi_request_schemas());
  schemas.update(OrderedJson::parse(openapi_answer_schemas()));
  const OrderedJson common = OrderedJson::parse(openapi_generation_fields());
  for (const char* request : {"ChatRequest", "CompletionRequest", "ResponseRequest"})
    schemas[request]["properties"].update(common);
  return schemas;
}

OrderedJson components() {
  OrderedJson responses = OrderedJson::object();
  for (const auto& [status, what] : error_statuses()) {
    responses[status] = {{"description", what}, {"content", content_of("Error")}};
  }
  return {{"schemas", schemas()},
          {"responses", std::move(responses)},
          {"securitySchemes",
           {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
            {"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "x-api-key"}}}}}};
}

}  // namespace

OrderedJson openapi_document(const std::string& version) {
  OrderedJson paths = OrderedJson::object();
  for (const Operation& operation : kOperations) paths[operation.path][operation.method] = operation_json(operation);
  const OrderedJson info = {{"title", "RockchipLlama"},
                            {"version", version},
                            {"description", "OpenAI-compatible LLM server with prompt caches"}};
  // A key in either header; none where the server has no keys.
  const OrderedJson security = {
      {{"bearer", OrderedJson::array()}}, {{"key", OrderedJson::array()}}, OrderedJson::object()};
  return {{"openapi", "3.1.0"},
          {"info", info},
          {"security", security},
          {"paths", std::move(paths)},
          {"components", components()}};
}

void add_openapi(http::Router& router, const Services& services) {
  router.add("GET", "/openapi.json",
             [document = to_text(openapi_document(services.version))](const RequestPtr&, const WriterPtr& writer) {
               writer->respond({}, document);
             });
  router.add("GET", "/docs", [](const RequestPtr&, const WriterPtr& writer) {
    writer->respond({.content_type = "text/html; charset=utf-8"}, std::string(openapi_page()));
  });
}

}  // namespace rockllama::api
