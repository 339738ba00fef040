#include "api/cache_json.h"

#include "api/nullable.h"
#include "api/rounding.h"

namespace rockllama::api {
namespace {

OrderedJson time_or_null(double time) { return time == 0 ? OrderedJson(nullptr) : OrderedJson(time); }

OrderedJson state_json(const StateInfo& state) {
  return {{"engine", state.engine},
          {"format", to_string(state.format)},
          {"size_mb", megabytes(state.size_bytes)},
          {"tokens", state.tokens},
          {"created_at", state.created_at},
          {"modified_at", state.modified_at},
          {"status", to_string(state.status)},
          {"reason", text_or_null(state.reason)}};
}

}  // namespace

OrderedJson cache_info_json(const CacheInfo& info) {
  OrderedJson states = OrderedJson::array();
  for (const StateInfo& state : info.binary) states.push_back(state_json(state));
  return {{"cache_name", info.cache_name},
          {"model_name", info.model_name},
          {"created_at", info.created_at},
          {"modified_at", info.modified_at},
          {"last_used_at", time_or_null(info.last_used_at)},
          {"hits", info.hits},
          {"content_length", info.content_length},
          {"prompt_tokens", info.prompt_tokens},
          {"size_mb", megabytes(info.size_bytes)},
          {"source", info.source},
          {"has_text", info.has_text},
          {"has_binary", info.has_binary},
          {"binary", states},
          {"parent", text_or_null(info.parent)},
          {"pinned", info.pinned},
          {"expires_at", time_or_null(info.expires_at)}};
}

OrderedJson cache_infos_json(const std::vector<CacheInfo>& infos) {
  OrderedJson list = OrderedJson::array();
  for (const CacheInfo& info : infos) list.push_back(cache_info_json(info));
  return list;
}

OrderedJson cache_created_json(const CacheCreated& created) {
  OrderedJson states = OrderedJson::array();
  for (const StateFormat format : created.states) states.push_back(to_string(format));
  OrderedJson json = {{"object", "cache.created"},
                      {"model", created.model},
                      {"cache_name", created.name},
                      {"size_mb", megabytes(created.size_bytes)},
                      {"ttft_ms", tenths(created.ttft_ms)},
                      {"prompt_tokens", created.prompt_tokens},
                      {"message", created.message},
                      {"binary", created.binary},
                      {"states", states}};
  if (!created.warning.empty()) json["warning"] = created.warning;
  return json;
}

OrderedJson binary_created_json(const CacheCreated& created) {
  if (!created.binary) return cache_created_json(created);
  OrderedJson json = {{"object", "binary_cache.created"},   {"model", created.model},
                      {"cache_name", created.name},         {"size_mb", megabytes(created.size_bytes)},
                      {"ttft_ms", tenths(created.ttft_ms)}, {"message", created.message}};
  if (!created.warning.empty()) json["warning"] = created.warning;
  return json;
}

OrderedJson cache_imported_json(const ImportedCache& imported) {
  OrderedJson states = OrderedJson::array();
  size_t kept = 0;
  for (const ImportedState& state : imported.states) {
    kept += state.kept ? 1 : 0;
    states.push_back({{"format", to_string(state.format)},
                      {"status", state.kept ? "ready" : "dropped"},
                      {"reason", text_or_null(state.reason)}});
  }
  std::string message = "Cache imported with its text";
  if (kept > 0) message += " and " + std::to_string(kept) + (kept == 1 ? " state" : " states");
  if (kept < imported.states.size()) message += "; a state of another model or engine was dropped";
  return {{"object", "cache.imported"}, {"model", imported.model},       {"cache_name", imported.name}, {"text", true},
          {"states", states},           {"parents", imported.ancestors}, {"message", message}};
}

OrderedJson cache_progress_json(const CacheProgress& progress) {
  return {{"object", "cache.progress"},
          {"format", to_string(progress.format)},
          {"done", progress.done_tokens},
          {"total", progress.total_tokens}};
}

}  // namespace rockllama::api
