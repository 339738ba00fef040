#include "api/model_json.h"

#include <cstdint>

#include "api/field_reader.h"
#include "api/rounding.h"

namespace rockllama::api {

OrderedJson model_json(const ModelStatus& status, const std::string& id) {
  return {{"id", id},
          {"object", "model"},
          {"created", static_cast<int64_t>(status.modified_at)},
          {"owned_by", "rockllama"}};
}

OrderedJson model_list_json(const std::vector<ModelStatus>& models) {
  OrderedJson data = OrderedJson::array();
  for (const ModelStatus& model : models) {
    data.push_back(model_json(model, model.name));
    for (const std::string& cache : model.caches) data.push_back(model_json(model, model.name + "@" + cache));
  }
  return {{"object", "list"}, {"data", data}};
}

OrderedJson available_models_json(const std::vector<ModelStatus>& models) {
  OrderedJson list = OrderedJson::array();
  OrderedJson loaded = nullptr;
  for (const ModelStatus& model : models) {
    list.push_back({{"name", model.name},
                    {"filename", model.filename},
                    {"path", model.path},
                    {"size_mb", megabytes(model.size_bytes)},
                    {"loaded", model.loaded}});
    if (model.loaded && loaded.is_null()) loaded = model.name;
  }
  return {{"models", list}, {"total", models.size()}, {"loaded_model", loaded}};
}

OrderedJson loaded_models_json(const Readiness& readiness) {
  const bool any = !readiness.loaded.empty();
  return {{"loaded", any},
          {"model_name", any ? OrderedJson(readiness.loaded.front()) : OrderedJson(nullptr)},
          {"models", readiness.loaded}};
}

OrderedJson readiness_json(const Readiness& readiness) {
  return {{"loaded", readiness.loaded}, {"loading", readiness.loading}, {"failed", readiness.failed}};
}

Result<std::string> parse_model_name(std::string_view body) {
  if (body.empty()) return std::string();
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  auto name = fields.string("model").value_or("");
  if (fields.error()) return fail(*fields.error());
  return name;
}

}  // namespace rockllama::api
