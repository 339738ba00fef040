#include "cli/server_access.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace rockllama {
namespace {

// A state of a long prompt takes minutes, with an event for each block.
constexpr uint32_t kStepTimeoutMs = 900'000;

std::string api_key(const AccessOptions& options) {
  if (!options.api_key.empty()) return options.api_key;
  const char* key = std::getenv("ROCKLLAMA_API_KEY");
  return key == nullptr ? "" : key;
}

Send ask(const ServerAddress& address, const std::string& key) {
  return [client = http::HttpClient(address.host, address.port, kStepTimeoutMs),
          key](http::ClientRequest request) mutable {
    request.api_key = key;
    return client.send(request);
  };
}

bool answers(const Send& send) { return send({.target = "/health"}).has_value(); }

ServerAddress configured_address(const Config& config) {
  const std::string& host = config.server.host;
  const bool everywhere = host == "0.0.0.0" || host == "::";
  return {everywhere ? "127.0.0.1" : host, static_cast<uint16_t>(config.server.port)};
}

std::string url_of(const ServerAddress& address) {
  return "http://" + address.host + ":" + std::to_string(address.port);
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

tl::unexpected<Error> nothing_there(const Config& config, const ServerAddress& address) {
  return fail(ErrorCode::kUnavailable, "no server answers at " + url_of(address) + ", and there is neither a folder " +
                                           config.cache.folder + " nor " + config.models.folder +
                                           " here; name a server with --url, or folders with --config");
}

tl::unexpected<Error> in_use_but_silent(const Config& config, const ServerAddress& address) {
  return fail(ErrorCode::kUnavailable, "the cache folder " + config.cache.folder +
                                           " is in use by a server, but none answers at " + url_of(address) +
                                           "; name its address with --url");
}

}  // namespace

Result<ServerAddress> parse_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&] { return fail(ErrorCode::kInvalidArgument, "--url must be like http://127.0.0.1:8080"); };
  if (!url.starts_with(kScheme)) return bad();
  std::string rest = url.substr(kScheme.size());
  while (rest.ends_with('/')) rest.pop_back();
  if (rest.ends_with("/v1")) rest.resize(rest.size() - 3);
  const size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
  ServerAddress address{has_port ? rest.substr(0, colon) : rest};
  if (has_port) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + colon + 1, end, address.port);
    if (parsed.ec != std::errc() || parsed.ptr != end) return bad();
  }
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty() || address.host.find_first_of("/?#@ ") != std::string::npos) return bad();
  return address;
}

Result<ServerAccess> open_access(const AccessOptions& options, const OpenFolder& open_folder) {
  const auto config = read_config(options.flags);
  if (!config) return fail(ErrorCode::kInvalidArgument, "the settings are wrong");
  ServerAccess access{.send = {}, .import_limit_bytes = static_cast<uint64_t>(config->cache.import_limit_mib) << 20};
  const auto address = options.url.empty() ? configured_address(*config) : parse_url(options.url);
  if (!address) return fail(address.error());
  access.send = ask(*address, api_key(options));
  if (!options.url.empty()) {
    if (answers(access.send)) return access;
    return fail(ErrorCode::kUnavailable, "no server answers at " + url_of(*address));
  }
  // Without a cache folder there is no lock to ask: a server may run elsewhere.
  if (!is_folder(config->cache.folder)) {
    if (answers(access.send)) return access;
    if (!is_folder(config->models.folder)) return nothing_there(*config, *address);
  }
  auto folder = open_folder(*config);
  if (folder) {
    access.send = std::move(*folder);
    access.local = true;
    return access;
  }
  if (folder.error().code != ErrorCode::kConflict) return fail(folder.error());
  if (!answers(access.send)) return in_use_but_silent(*config, *address);
  return access;
}

}  // namespace rockllama
