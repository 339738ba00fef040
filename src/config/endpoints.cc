#include <algorithm>
#include <sstream>

#include "config/member_reader.h"
#include "config/structured_fields.h"

namespace rockllama {
namespace {

using nlohmann::json;

bool is_plain_segment(const std::string& segment) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-";
  return !segment.empty() && segment != "." && segment != ".." &&
         segment.find_first_not_of(kPlain) == std::string::npos;
}

// Why `path` cannot be served; empty = it can.
std::string path_fault(const std::string& path) {
  if (!path.starts_with('/')) return "a path begins with /";
  if (path == "/v1" || path.starts_with("/v1/")) return "paths under /v1 are the server's own";
  std::istringstream segments(path.substr(1) + "/");
  bool plain = true;
  for (std::string segment; std::getline(segments, segment, '/');) plain = plain && is_plain_segment(segment);
  return plain ? "" : "a path is made of A-Z a-z 0-9 . _ ~ - between single slashes";
}

Config::Endpoint read_endpoint(const std::string& path, const json& value, std::vector<std::string>* faults) {
  Config::Endpoint endpoint{.path = path};
  const std::string place = "endpoints." + path;
  if (value.is_string()) {
    endpoint.cache = value.get<std::string>();
    if (endpoint.cache.empty()) faults->push_back(place + ": the name of a cache is not empty");
    return endpoint;
  }
  if (!value.is_object()) {
    faults->push_back(place + ": must be the name of a cache or an object");
    return endpoint;
  }
  MemberReader members(value, place, faults);
  members.refuse_others({"kind", "model", "cache"});
  endpoint.kind = members.text("kind").value_or(endpoint.kind);
  if (endpoint.kind != "chat" && endpoint.kind != "completion") members.fault("kind", "must be chat or completion");
  endpoint.model = members.text("model").value_or("");
  endpoint.cache = members.text("cache").value_or("");
  return endpoint;
}

}  // namespace

std::vector<std::string> set_endpoints(Config& config, const json& value, const std::string& /*folder*/) {
  if (!value.is_object()) return {"endpoints: must be an object of paths"};
  std::vector<std::string> faults;
  config.endpoints.clear();
  for (const auto& [path, endpoint] : value.items()) {
    if (is_remark(path)) continue;
    if (const std::string fault = path_fault(path); !fault.empty())
      faults.push_back("endpoints." + path + ": " + fault);
    config.endpoints.push_back(read_endpoint(path, endpoint, &faults));
  }
  return faults;
}

}  // namespace rockllama
