#include "api/model_json.h"

#include <algorithm>
#include <cstdint>

#include "api/field_reader.h"
#include "api/nullable.h"
#include "api/rounding.h"

namespace rockllama::api {
namespace {

constexpr size_t kMostLines = 50;

const char* status_word(const ModelStatus& status) {
  if (status.loaded) return "loaded";
  if (status.loading) return "loading";
  return status.failure.empty() ? "unloaded" : "failed";
}

OrderedJson runtime_json(const RuntimeReport& runtime) {
  if (runtime == RuntimeReport{}) return nullptr;
  return {{"version", text_or_null(runtime.version)},
          {"driver_version", text_or_null(runtime.driver_version)},
          {"platform", text_or_null(runtime.platform)},
          {"toolkit_version", text_or_null(runtime.toolkit_version)},
          {"context_limit", runtime.context_limit == 0 ? OrderedJson(nullptr) : OrderedJson(runtime.context_limit)}};
}

OrderedJson last_lines(const std::vector<std::string>& lines) {
  const size_t count = std::min(lines.size(), kMostLines);
  return std::vector<std::string>(lines.end() - static_cast<std::ptrdiff_t>(count), lines.end());
}

}  // namespace

OrderedJson model_json(const ModelStatus& status, const std::string& id) {
  return {{"id", id},
          {"object", "model"},
          {"created", static_cast<int64_t>(status.modified_at)},
          {"owned_by", "rockllama"}};
}

OrderedJson model_details_json(const ModelStatus& status, const std::string& id) {
  OrderedJson json = model_json(status, id);
  json["engine"] = to_string(status.engine);
  json["status"] = status_word(status);
  json["size_mb"] = megabytes(status.size_bytes);
  const LoadedModel& details = status.details;
  json["context_tokens"] = status.loaded ? OrderedJson(details.context_tokens) : OrderedJson(nullptr);
  const uint64_t kv_bytes = details.kv_bytes_per_token;
  json["kv_bytes_per_token"] = kv_bytes != 0 ? OrderedJson(kv_bytes) : OrderedJson(nullptr);
  json["engine_version"] = status.loaded ? OrderedJson(details.engine_version) : OrderedJson(nullptr);
  json["prompt_mode"] = text_or_null(details.prompt_mode);
  json["prompt_mode_reason"] = text_or_null(details.prompt_mode_reason);
  json["runtime"] = runtime_json(status.log.runtime);
  json["saving_problem"] = text_or_null(status.saving_problem);
  json["failure"] = text_or_null(status.failure);
  json["log"] = last_lines(status.log.lines);
  return json;
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
