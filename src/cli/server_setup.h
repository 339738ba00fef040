// The steps of `rockllama serve` that are no one else's: settings to the structs of the layers, the log, the limits of
// the process, what is said at start.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "domain/model.h"
#include "http/http_server.h"
#include "service/api_keys.h"
#include "service/call_budget.h"
#include "service/context.h"
#include "service/models.h"
#include "service/startup_caches.h"
#include "supervisor/worker_process.h"

namespace rockllama {

struct ServeFlags {
  std::string config_file{};
  std::map<std::string, std::string> settings{};  // "server.port" -> "8081"
};

// All variables of this process.
[[nodiscard]] std::map<std::string, std::string> environment();
// Reads all settings and reports what is wrong with them on stderr; nothing when something is.
[[nodiscard]] std::optional<Config> read_config(const ServeFlags& flags);

void set_up_log(const std::string& level);
// As many descriptors as the system allows; connections and state files need them.
void raise_descriptor_limit();
// SIGINT and SIGTERM are kept for wait_for_stop_signal; SIGPIPE is ignored. Before any thread is made.
void hold_signals();
// Blocks until SIGINT or SIGTERM comes; gives its number.
int wait_for_stop_signal();

[[nodiscard]] ModelSpec model_defaults(const Config& config);
[[nodiscard]] StoreLimits store_limits(const Config& config);
[[nodiscard]] ServiceOptions service_options(const Config& config);
[[nodiscard]] std::vector<StartupCache> startup_caches(const Config& config);
[[nodiscard]] http::ServerOptions http_options(const Config& config);
// With the secret of the cache folder, which is made where it is missing.
[[nodiscard]] CallLimits call_limits(const Config& config);
[[nodiscard]] Result<ApiKeys> api_keys(const Config& config, FileSystem* files);
// The configured path, else beside this executable, else in its libexec folder; kNotFound with what to do.
[[nodiscard]] Result<std::string> worker_program(const Config& config);
[[nodiscard]] WorkerFactory worker_factory(const Config& config, std::string program);

// Prints the addresses to use, the models, the endpoint map, and what to do about what is missing.
void print_welcome(const Config& config, uint16_t port, const std::vector<ModelStatus>& models);

}  // namespace rockllama
