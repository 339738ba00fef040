// The routes of the HTTP API: one file per dialect registers its own. Dialects are codecs: JSON to domain types, calls
// of the services, domain types to JSON.
#pragma once

#include <string>

#include "api/response_store.h"
#include "base/executor.h"
#include "http/router.h"
#include "service/api_keys.h"
#include "service/cache_archives.h"
#include "service/caches.h"
#include "service/call_budget.h"
#include "service/completions.h"
#include "service/models.h"
#include "service/questions.h"
#include "service/startup_caches.h"

namespace rockllama::api {

struct Services {
  Completions* completions = nullptr;
  Questions* questions = nullptr;
  Caches* caches = nullptr;
  CacheArchives* archives = nullptr;
  Models* models = nullptr;
  StartupCaches* startup_caches = nullptr;
  std::string version{};  // of rockllama
  uint32_t heartbeat_ms = 5000;
  Executor* executor = nullptr;   // for heartbeats, and for files on their way out
  const ApiKeys* keys = nullptr;  // who may call; null or without any = everybody
  CallLimits limits{};            // of each key
  bool enable_thinking = false;   // where a chat request says nothing
  uint64_t import_limit_bytes = uint64_t{2048} << 20;
  ResponseStore::Limits stored_responses{};
};

void add_chat_completions(http::Router& router, const Services& services);  // POST /v1/chat/completions
void add_completions(http::Router& router, const Services& services);       // POST /v1/completions
void add_responses(http::Router& router, const Services& services);         // /v1/responses...
void add_embeddings(http::Router& router, const Services& services);        // POST /v1/embeddings
void add_tokens(http::Router& router, const Services& services);            // /tokenize, /detokenize, /apply-template
void add_input_tokens(http::Router& router, const Services& services);      // POST /v1/chat/completions/input_tokens
void add_models(http::Router& router, const Services& services);            // /v1/models...
void add_caches(http::Router& router, const Services& services);            // /v1/cache...
void add_cache_archives(http::Router& router, const Services& services);    // export and import of caches
void add_openapi(http::Router& router, const Services& services);           // /openapi.json, /docs
void add_health(http::Router& router, const Services& services);            // /, /health, /v1/health, /ready
// All but those of add_health and add_openapi need a key where there are any, and are held to its limits.
void add_all(http::Router& router, const Services& services);

// The body of an error in OpenAI's shape, for errors that the HTTP server itself finds.
[[nodiscard]] std::string error_body(int status, const std::string& message);

}  // namespace rockllama::api
