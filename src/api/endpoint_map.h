// The endpoint map: paths of the settings that are served as a dialect, with a model and a cache of their own.
#pragma once

#include <string>
#include <vector>

#include "api/api.h"

namespace rockllama::api {

struct Endpoint {
  enum class Kind : uint8_t { kChat, kCompletion };
  std::string path;
  Kind kind = Kind::kChat;
  std::string model{};  // for requests that name none; empty = as for any other
  std::string cache{};  // for requests that name none, in any way; empty = none
};

// Gives what is wrong with paths that are taken, one line each; all others are added.
[[nodiscard]] std::vector<std::string> add_endpoint_map(http::Router& router, const Services& services,
                                                        const std::vector<Endpoint>& endpoints);

// What the request leaves open is as the endpoint has it. `use_cache`, null too, and model@cache in the request win.
void fill_in(const Endpoint& endpoint, CompletionRequest* request);

}  // namespace rockllama::api
