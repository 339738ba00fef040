#include "api/cache_request.h"

#include <limits>
#include <utility>
#include <vector>

#include "api/chat_messages.h"
#include "api/chat_tools.h"

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

// The sources of a cache that are there, in the order in which faults name them.
std::vector<std::string> sources_of(const FieldReader& fields) {
  std::vector<std::string> names;
  for (const char* name : {"prompt", "content", "messages"}) {
    if (fields.find(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

// A prompt beside tools is their conversation's system message.
CacheContent read_conversation(FieldReader* fields, bool has_tools) {
  CacheContent content;
  if (fields->find("messages") != nullptr) content.messages = read_messages(fields);
  if (const auto prompt = read_text(fields, "prompt")) content.messages = {{"system", *prompt}};
  if (has_tools) content.tools = read_tools(fields, WireForm::kChat);
  return content;
}

void read_source(FieldReader* fields, CreateCacheCall* call) {
  call->request.format = read_format(fields);
  const std::vector<std::string> sources = sources_of(*fields);
  const bool has_tools = fields->find("tools") != nullptr;
  if (sources.size() > 1) return fields->bad(sources[1], "and " + sources[0] + " exclude each other");
  if (sources.empty() && !has_tools) return fields->bad("prompt", "or content, messages or tools must be there");
  const std::string source = sources.empty() ? "tools" : sources[0];
  if (source == "content" && has_tools) return fields->bad("tools", "and content exclude each other");
  if (!has_tools && source != "messages") {
    call->content.text = read_text(fields, source).value_or("");
    if (source == "content") call->request.format = CacheFormatChoice::kTextOnly;
    return;
  }
  if (call->request.format == CacheFormatChoice::kRaw) {
    fields->bad("format", "must be both or chat: messages and tools have no raw rendering");
  }
  call->content = read_conversation(fields, has_tools);
}

}  // namespace

Result<CreateCacheCall> parse_create_cache(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  CreateCacheCall call;
  call.request.name = read_name(&fields);
  read_source(&fields, &call);
  call.request.parent = read_text(&fields, "parent").value_or("");
  call.request.overwrite = fields.boolean("overwrite").value_or(true);
  call.request.pinned = fields.boolean("pinned");
  call.request.retry_binary = fields.boolean("retry_binary").value_or(false);
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
  call.stream = fields.boolean("stream").value_or(false);
  if (fields.error()) return fail(*fields.error());
  return call;
}

}  // namespace rockllama::api
