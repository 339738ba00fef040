// What the subcommands of `rockllama cache` and `rockllama models` do. Each prints its result on stdout and what went
// wrong on stderr, and returns the exit code.
#pragma once

#include <string>

#include "cli/api_text.h"
#include "cli/cache_options.h"

namespace rockllama {

int list_caches(const CacheOptions& options, const ServerAccess& access);
int show_cache(const CacheOptions& options, const ServerAccess& access);
int remove_cache(const CacheOptions& options, const ServerAccess& access);
int create_cache(const CacheOptions& options, const ServerAccess& access);
int warm_caches(const CacheOptions& options, const ServerAccess& access);
int export_cache(const CacheOptions& options, const ServerAccess& access);
int import_cache(const CacheOptions& options, const ServerAccess& access);
int list_models(const CacheOptions& options, const ServerAccess& access);

// On stderr; 2 for kInvalidArgument, else 1.
int report(const Error& error);
// The JSON, or the text for people.
void print(const CacheOptions& options, const ApiJson& json, const std::string& text);
// "/v1/cache/<model>" for the model that is meant: the one that was named, else the only one. kInvalidArgument with
// the names where there are several.
[[nodiscard]] Result<std::string> model_path(const CacheOptions& options, const ServerAccess& access);
// The same with the cache's name.
[[nodiscard]] Result<std::string> cache_path(const CacheOptions& options, const ServerAccess& access);

}  // namespace rockllama
