// Where the commands ask: a running server, or the cache folder itself where none runs. Either way it is the HTTP API
// that answers, so that both give the same JSON.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/server_setup.h"
#include "http/http_client.h"

namespace rockllama {

using Send = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;

struct ServerAccess {
  Send send;
  bool local = false;  // no server: nothing that needs a model
  uint64_t import_limit_bytes = 0;
};

struct AccessOptions {
  ServeFlags flags{};     // for the settings: folders, host, port
  std::string url{};      // http://host:port; empty = the configured address
  std::string api_key{};  // empty = ROCKLLAMA_API_KEY
};

// Serves from the folders in the settings; kConflict where another process has the cache folder open.
using OpenFolder = std::function<Result<Send>(const Config& config)>;

// An address for a client; nothing in it may be left out but the port (80). kInvalidArgument.
struct ServerAddress {
  std::string host;
  uint16_t port = 80;
};
[[nodiscard]] Result<ServerAddress> parse_url(const std::string& url);

// With --url that server; else the folder, if no one holds its lock; else the server at the configured address.
// kInvalidArgument for wrong settings or a wrong url, kUnavailable with what to do where nothing answers.
[[nodiscard]] Result<ServerAccess> open_access(const AccessOptions& options, const OpenFolder& open_folder);

}  // namespace rockllama
