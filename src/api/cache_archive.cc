// GET /v1/cache/{model}/{name}/export and POST /v1/cache/{model}/import.
#include <algorithm>
#include <memory>
#include <utility>

#include "api/api.h"
#include "api/archive_responder.h"
#include "api/cache_json.h"
#include "api/change_log.h"
#include "api/errors.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;

// Safe between quotes in a header, whatever a person called the cache.
std::string file_name(const std::string& cache) {
  std::string name = cache;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; }, '_');
  return name + ".tar";
}

Result<bool> flag(const http::Request& request, const std::string& wanted, bool otherwise) {
  for (const auto& [name, value] : request.query) {
    if (name != wanted) continue;
    if (value == "true" || value == "false") return value == "true";
    return fail(ErrorCode::kInvalidArgument, wanted + " must be true or false", wanted);
  }
  return otherwise;
}

void export_cache(const Services& services, const RequestPtr& request, const WriterPtr& writer) {
  const auto states = flag(*request, "states", true);
  if (!states) return respond_error(*writer, states.error());
  const std::string name(request->path_value("name"));
  auto bytes = services.archives->export_cache(std::string(request->path_value("model")), name, *states);
  if (!bytes) return respond_error(*writer, bytes.error());
  std::make_shared<ArchiveResponder>(writer, std::move(*bytes), services.executor)->begin(file_name(name));
}

Result<ImportCache> parse_import(const http::Request& request) {
  const auto overwrite = flag(request, "overwrite", true);
  if (!overwrite) return fail(overwrite.error());
  ImportCache call{.model = std::string(request.path_value("model")), .overwrite = *overwrite};
  for (const auto& [name, value] : request.query) {
    if (name == "name") call.name = value;
  }
  if (!request.body_file.valid()) return fail(ErrorCode::kInvalidArgument, "the body must be an archive of a cache");
  return call;
}

void import_cache(const Services& services, const RequestPtr& request, const WriterPtr& writer) {
  auto call = parse_import(*request);
  if (!call) return respond_error(*writer, call.error());
  services.archives->import_cache(std::move(*call), std::move(request->body_file),
                                  [writer](const Result<ImportedCache>& imported) {
                                    if (!imported) return respond_error(*writer, imported.error());
                                    respond_json(*writer, cache_imported_json(*imported));
                                  });
}

}  // namespace

void add_cache_archives(http::Router& router, const Services& services) {
  router.add("GET", "/v1/cache/{model}/{name}/export", [services](const RequestPtr& request, const WriterPtr& writer) {
    export_cache(services, request, writer);
  });
  router.add(
      "POST", "/v1/cache/{model}/import",
      [services](const RequestPtr& request, const WriterPtr& writer) {
        import_cache(services, request, with_log_line(*request, writer));
      },
      http::BodyFile{services.import_limit_bytes, [archives = services.archives] { return archives->open_spool(); }});
}

}  // namespace rockllama::api
