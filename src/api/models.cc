#include <algorithm>
#include <utility>

#include "api/api.h"
#include "api/change_log.h"
#include "api/errors.h"
#include "api/model_json.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

void list(Models* models, const RequestPtr&, const WriterPtr& writer) {
  respond_json(*writer, model_list_json(models->list()));
}

void get(Models* models, const RequestPtr& request, const WriterPtr& writer) {
  const std::string id(request->path_value("id"));
  const size_t at = id.find('@');
  const auto status = models->find(id.substr(0, at));
  if (!status) return respond_error(*writer, status.error());
  const auto& caches = status->caches;
  if (at != std::string::npos && std::find(caches.begin(), caches.end(), id.substr(at + 1)) == caches.end()) {
    return respond_error(*writer, {ErrorCode::kModelNotFound, "there is no model '" + id + "'", "model"});
  }
  respond_json(*writer, model_details_json(*status, id));
}

void available(Models* models, const RequestPtr&, const WriterPtr& writer) {
  respond_json(*writer, available_models_json(models->list()));
}

void loaded(Models* models, const RequestPtr&, const WriterPtr& writer) {
  respond_json(*writer, loaded_models_json(models->readiness()));
}

// The folder name that a request for `asked` means, as far as the loaded models say.
std::string served_name(Models* models, const std::string& asked) {
  if (!asked.empty()) return asked.substr(0, asked.find('@'));
  const auto names = models->readiness().loaded;
  return names.empty() ? "" : names.front();
}

OrderedJson load_answer(const std::string& name, bool is_loaded) {
  const std::string what = name.empty() ? "no model" : "model " + name;
  return {{"success", true},
          {"message", what + (is_loaded || name.empty() ? " is loaded" : " is unloaded")},
          {"model_name", name.empty() ? OrderedJson(nullptr) : OrderedJson(name)},
          {"loaded", is_loaded}};
}

void load(Models* models, const RequestPtr& request, const WriterPtr& writer) {
  const auto asked = parse_model_name(request->body);
  if (!asked) return respond_error(*writer, asked.error());
  models->load(*asked, [models, asked = *asked, writer](const Status& status) {
    if (!status) return respond_error(*writer, status.error());
    respond_json(*writer, load_answer(served_name(models, asked), true));
  });
}

void unload(Models* models, const RequestPtr& request, const WriterPtr& writer) {
  const auto asked = parse_model_name(request->body);
  if (!asked) return respond_error(*writer, asked.error());
  const std::string name = served_name(models, *asked);
  if (name.empty()) return respond_json(*writer, load_answer(name, false));
  models->unload(name, [name, writer](const Status& status) {
    if (!status) return respond_error(*writer, status.error());
    respond_json(*writer, load_answer(name, false));
  });
}

}  // namespace

void add_models(http::Router& router, const Services& services) {
  using Flow = void (*)(Models*, const RequestPtr&, const WriterPtr&);
  const auto add = [&router, models = services.models](const char* method, const char* pattern, Flow flow) {
    router.add(method, pattern, [models, flow](const RequestPtr& request, const WriterPtr& writer) {
      flow(models, request, request->method == "POST" ? with_log_line(*request, writer) : writer);
    });
  };
  add("GET", "/v1/models", list);
  add("GET", "/v1/models/available", available);
  add("GET", "/v1/models/loaded", loaded);
  add("GET", "/v1/models/{id}", get);
  add("POST", "/v1/models/load", load);
  add("POST", "/v1/models/unload", unload);
}

}  // namespace rockllama::api
