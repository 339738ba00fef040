#include "api/generation_fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "api/client_fields.h"
#include "api/sampling_fields.h"

namespace rockllama::api {
namespace {

constexpr size_t kMaxStops = 16;
constexpr size_t kMaxCacheNameBytes = 255;
constexpr size_t kMaxCaches = 16;   // of one request: each text is read and rendered
constexpr double kMaxChoices = 16;  // of one request: each is a generation of its own
constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max();

int32_t read_max_tokens(FieldReader* fields) {
  int32_t limit = -1;
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    const auto asked = fields->integer(name, {-1, kNoLimit});
    if (!asked) continue;
    if (*asked == 0) fields->bad(name, "must be at least 1, or -1 for no limit");
    // An explicit -1 must win over the model's default, too.
    limit = *asked == -1 ? kNoLimit : *asked;
  }
  return limit;
}

void add_stop(FieldReader* fields, const std::string& path, const Json& value, std::vector<std::string>* stops) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    return fields->fault(ErrorCode::kInvalidArgument, path + " must be a string that is not empty", path);
  }
  stops->push_back(value.get<std::string>());
}

std::vector<std::string> read_stop(FieldReader* fields) {
  const Json* value = fields->find("stop");
  std::vector<std::string> stops;
  if (value == nullptr) return stops;
  if (!value->is_array()) {
    add_stop(fields, "stop", *value, &stops);
    return stops;
  }
  if (value->size() > kMaxStops) fields->bad("stop", "must have at most " + std::to_string(kMaxStops) + " entries");
  for (size_t i = 0; i < value->size(); ++i) add_stop(fields, "stop[" + std::to_string(i) + "]", (*value)[i], &stops);
  return stops;
}

ReusePolicy read_reuse(FieldReader* fields) {
  const Json* value = fields->find("cache_prompt");
  if (value == nullptr) return ReusePolicy::kAll;
  if (value->is_boolean()) return value->get<bool>() ? ReusePolicy::kAll : ReusePolicy::kNone;
  if (*value == "exact") return ReusePolicy::kExact;
  fields->bad("cache_prompt", "must be true, false or \"exact\"");
  return ReusePolicy::kAll;
}

bool add_cache_name(const Json& value, std::vector<std::string>* names) {
  if (!value.is_string()) return false;
  const auto& name = value.get_ref<const std::string&>();
  if (name.empty() || name.size() > kMaxCacheNameBytes) return false;
  if (std::find(names->begin(), names->end(), name) != names->end()) return true;
  if (names->size() == kMaxCaches) return false;
  names->push_back(name);
  return true;
}

// A cache can only make an answer quicker, so nothing that is wrong with its name stops the answer.
void read_use_cache(const Json& body, CompletionRequest* request) {
  const auto found = body.find("use_cache");
  if (found == body.end()) return;
  bool fine = true;
  if (found->is_array()) {
    for (const Json& entry : *found) fine = add_cache_name(entry, &request->use_cache) && fine;
    fine = fine && !found->empty();
  } else {
    fine = add_cache_name(*found, &request->use_cache);
  }
  if (fine) return;
  request->use_cache_problem = found->is_null()
                                   ? "use_cache is null; no cache was asked for"
                                   : "use_cache must be a name or a list of up to 16 names; what is not was ignored";
}

}  // namespace

void read_generation_fields(FieldReader* fields, const Json& body, CompletionCall* call) {
  CompletionRequest& request = call->request;
  request.model = fields->string("model").value_or("");
  request.options.sampling = read_sampling(fields);
  request.options.max_tokens = read_max_tokens(fields);
  request.options.stop = read_stop(fields);
  request.options.reuse = read_reuse(fields);
  read_use_cache(body, &request);
  call->stream = fields->boolean("stream").value_or(false);
  if (const Json* options = fields->object("stream_options")) {
    FieldReader reader(*options, "stream_options");
    call->include_usage = reader.boolean("include_usage").value_or(false);
    if (reader.error()) fields->fault(*reader.error());
  }
  read_client_fields(fields, call);
  call->choices = static_cast<uint32_t>(fields->integer("n", {1, kMaxChoices}).value_or(1));
}

}  // namespace rockllama::api
