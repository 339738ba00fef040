#include <string_view>
#include <utility>

#include "api/api.h"
#include "api/cache_request.h"
#include "api/cache_responder.h"
#include "api/cache_stats_json.h"
#include "api/change_log.h"
#include "api/errors.h"
#include "base/clock.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

std::string path_value(const RequestPtr& request, std::string_view name) {
  return std::string(request->path_value(name));
}

Caches::OnProgress progress_of(const std::shared_ptr<CacheResponder>& responder, bool stream) {
  if (!stream) return {};
  return [responder](const CacheProgress& step) { responder->on_progress(step); };
}

void create(Caches* caches, const RequestPtr& request, const WriterPtr& writer) {
  auto call = parse_create_cache(request->body);
  if (!call) return respond_error(*writer, call.error());
  call->request.model = path_value(request, "model");
  call->request.text = stored_text(call->content);
  const auto responder = std::make_shared<CacheResponder>(writer, cache_created_json);
  caches->create(std::move(call->request), progress_of(responder, call->stream),
                 [responder, stream = call->stream](const Result<CacheCreated>& created) {
                   responder->on_created(created, stream);
                 });
}

void generate_binary(Caches* caches, const RequestPtr& request, const WriterPtr& writer) {
  auto call = parse_generate_binary(request->body);
  if (!call) return respond_error(*writer, call.error());
  const auto responder = std::make_shared<CacheResponder>(writer, binary_created_json);
  caches->generate_binary(path_value(request, "model"), call->name, std::move(call->prompt),
                          progress_of(responder, call->stream),
                          [responder, stream = call->stream](const Result<CacheCreated>& created) {
                            responder->on_created(created, stream);
                          });
}

void list_all(Caches* caches, const RequestPtr&, const WriterPtr& writer) {
  const auto models = caches->list_all();
  if (!models) return respond_error(*writer, models.error());
  OrderedJson data = OrderedJson::object();
  for (const auto& [model, infos] : *models) data[model] = cache_infos_json(infos);
  respond_json(*writer, {{"object", "list"},
                         {"data", data},
                         {"stats", cache_stats_json(caches->stats())},
                         {"timestamp", unix_seconds()}});
}

void list(Caches* caches, const RequestPtr& request, const WriterPtr& writer) {
  const std::string model = path_value(request, "model");
  const auto infos = caches->list(model);
  if (!infos) return respond_error(*writer, infos.error());
  respond_json(*writer, {{"object", "list"},
                         {"model", model},
                         {"data", cache_infos_json(*infos)},
                         {"count", infos->size()},
                         {"stats", cache_stats_json(caches->stats(model))},
                         {"timestamp", unix_seconds()}});
}

void get(Caches* caches, const RequestPtr& request, const WriterPtr& writer) {
  const auto content = caches->get(path_value(request, "model"), path_value(request, "name"));
  if (!content) return respond_error(*writer, content.error());
  OrderedJson json = {{"object", "cache"}};
  json.update(cache_info_json(content->info));
  json["content"] = content->text;
  respond_json(*writer, json);
}

Result<bool> is_asked(const http::Request& request, const std::string& flag) {
  for (const auto& [name, value] : request.query) {
    if (name != flag) continue;
    if (value == "true") return true;
    return fail(ErrorCode::kInvalidArgument, flag + " must be true, or be left out", flag);
  }
  return false;
}

void remove(Caches* caches, const RequestPtr& request, const WriterPtr& writer) {
  const auto states_only = is_asked(*request, "binary_only");
  if (!states_only) return respond_error(*writer, states_only.error());
  const auto cascade = is_asked(*request, "cascade");
  if (!cascade) return respond_error(*writer, cascade.error());
  const std::string model = path_value(request, "model");
  const std::string name = path_value(request, "name");
  if (const auto status = caches->remove(model, name, {.states_only = *states_only, .cascade = *cascade}); !status) {
    return respond_error(*writer, status.error());
  }
  respond_json(*writer, {{"object", "cache.deleted"}, {"model", model}, {"cache_name", name}, {"deleted", true}});
}

}  // namespace

void add_caches(http::Router& router, const Services& services) {
  using Flow = void (*)(Caches*, const RequestPtr&, const WriterPtr&);
  const auto add = [&router, caches = services.caches](const char* method, const char* pattern, Flow flow) {
    router.add(method, pattern, [caches, flow](const RequestPtr& request, const WriterPtr& writer) {
      flow(caches, request,
           request->method == "POST" || request->method == "DELETE" ? with_log_line(*request, writer) : writer);
    });
  };
  add("GET", "/v1/cache", list_all);
  add("GET", "/v1/cache/{model}", list);
  add("POST", "/v1/cache/{model}", create);
  add("POST", "/v1/cache/{model}/generate-binary", generate_binary);
  add("GET", "/v1/cache/{model}/{name}", get);
  add("DELETE", "/v1/cache/{model}/{name}", remove);
}

}  // namespace rockllama::api
