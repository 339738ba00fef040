#include "cli/cache_commands.h"

#include <cstdio>

#include "base/clock.h"
#include "base/one_line.h"

namespace rockllama {
namespace {

// All models' caches, or one's, in one list.
Result<ApiJson> ask_for_list(const CacheOptions& options, const ServerAccess& access) {
  const std::string target = options.model.empty() ? "/v1/cache" : "/v1/cache/" + percent_encoded(options.model);
  return answer_json(access.send({.target = target}));
}

std::vector<ApiJson> infos_of(const ApiJson& list) {
  std::vector<ApiJson> infos = list_field(list, "data");
  if (!list.contains("data") || !list["data"].is_object()) return infos;
  for (const auto& [model, caches] : list["data"].items()) {
    if (caches.is_array()) infos.insert(infos.end(), caches.begin(), caches.end());
  }
  return infos;
}

}  // namespace

int report(const Error& error) {
  std::fprintf(stderr, "rockllama: %s\n", one_line(error.message).c_str());
  return error.code == ErrorCode::kInvalidArgument ? 2 : 1;
}

void print(const CacheOptions& options, const ApiJson& json, const std::string& text) {
  const std::string shown = options.json ? json.dump(2, ' ', false, ApiJson::error_handler_t::replace) + "\n" : text;
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fflush(stdout);
}

Result<std::string> model_path(const CacheOptions& options, const ServerAccess& access) {
  const std::string base = "/v1/cache/";
  if (!options.model.empty()) return base + percent_encoded(options.model);
  const auto answer = answer_json(access.send({.target = "/v1/models/available"}));
  if (!answer) return fail(answer.error());
  std::string names;
  const auto models = list_field(*answer, "models");
  for (const ApiJson& model : models) names += (names.empty() ? "" : ", ") + text_field(model, "name");
  if (models.size() == 1) return base + percent_encoded(names);
  return fail(ErrorCode::kInvalidArgument,
              models.empty() ? "there is no model" : "there are several models; name one with --model: " + names);
}

Result<std::string> cache_path(const CacheOptions& options, const ServerAccess& access) {
  auto path = model_path(options, access);
  if (path) *path += "/" + percent_encoded(options.name);
  return path;
}

int list_caches(const CacheOptions& options, const ServerAccess& access) {
  const auto list = ask_for_list(options, access);
  if (!list) return report(list.error());
  print(options, *list, caches_text(infos_of(*list), unix_seconds()));
  return 0;
}

int show_cache(const CacheOptions& options, const ServerAccess& access) {
  const auto path = cache_path(options, access);
  if (!path) return report(path.error());
  const auto info = answer_json(access.send({.target = *path}));
  if (!info) return report(info.error());
  print(options, *info, cache_text(*info, unix_seconds()));
  return 0;
}

int remove_cache(const CacheOptions& options, const ServerAccess& access) {
  const auto path = cache_path(options, access);
  if (!path) return report(path.error());
  std::string query;
  if (options.binary_only) query += "?binary_only=true";
  if (options.cascade) query += query.empty() ? "?cascade=true" : "&cascade=true";
  const auto answer = answer_json(access.send({.method = "DELETE", .target = *path + query}));
  if (!answer) return report(answer.error());
  print(options, *answer, options.name + (options.binary_only ? ": its states are deleted\n" : " is deleted\n"));
  return 0;
}

int list_models(const CacheOptions& options, const ServerAccess& access) {
  const auto answer = answer_json(access.send({.target = "/v1/models/available"}));
  if (!answer) return report(answer.error());
  print(options, *answer, models_text(list_field(*answer, "models")));
  return 0;
}

}  // namespace rockllama
