#include "api/cache_request.h"

#include <limits>
#include <utility>

namespace rockllama::api {
namespace {

std::string read_name(FieldReader* fields) {
  const auto name = fields->string("cache_name");
  if (!name) fields->bad("cache_name", "must be a string");
  return name.value_or("");
}

std::optional<std::string> read_text(FieldReader* fields, const std::string& name) {
  auto text = fields->string(name);
  if (text && text->empty()) fields->bad(name, "must not be empty");
  return text;
}

CacheFormatChoice read_format(FieldReader* fields) {
  const std::string format = fields->string("format").value_or("both");
  if (format == "chat") return CacheFormatChoice::kChat;
  if (format == "raw") return CacheFormatChoice::kRaw;
  if (format != "both") fields->bad("format", "must be both, chat or raw");
  return CacheFormatChoice::kBoth;
}

void read_source(FieldReader* fields, CreateCache* request) {
  request->format = read_format(fields);
  auto prompt = read_text(fields, "prompt");
  auto content = read_text(fields, "content");
  if (prompt && content) fields->bad("content", "and prompt exclude each other");
  if (!prompt && !content) fields->bad("prompt", "or content must be there");
  if (content) request->format = CacheFormatChoice::kTextOnly;
  if (prompt) content = std::move(prompt);
  request->text = std::move(content).value_or("");
}

}  // namespace

Result<CreateCacheCall> parse_create_cache(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  for (const char* name : {"messages", "tools", "parent"}) {
    if (fields.find(name) != nullptr) {
      fields.fault(ErrorCode::kUnsupported, std::string(name) + ": not supported for caches", name);
    }
  }
  CreateCacheCall call;
  call.request.name = read_name(&fields);
  read_source(&fields, &call.request);
  call.request.overwrite = fields.boolean("overwrite").value_or(true);
  call.request.pinned = fields.boolean("pinned");
  // A hundred years: what is longer is a mistake, and would not fit a time.
  if (const auto ttl = fields.number("ttl", {0, 3155760000.0, true})) call.request.ttl_s = *ttl;
  call.stream = fields.boolean("stream").value_or(false);
  if (fields.error()) return fail(*fields.error());
  return call;
}

Result<GenerateBinaryCall> parse_generate_binary(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  GenerateBinaryCall call{.name = read_name(&fields), .prompt = read_text(&fields, "prompt")};
  if (fields.error()) return fail(*fields.error());
  return call;
}

}  // namespace rockllama::api
