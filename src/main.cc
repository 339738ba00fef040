// rockllama: subcommands; `serve` makes everything in order and ends it in order.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

#include "api/api.h"
#include "api/endpoint_map.h"
#include "base/posix_file_system.h"
#include "cli/bench_ttft.h"
#include "cli/cache_options.h"
#include "cli/doctor.h"
#include "cli/local_api.h"
#include "cli/server_setup.h"
#include "service/service.h"

namespace rockllama {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr int kExecutorThreads = 4;
constexpr int kLastWordsS = 5;  // for answers to those whom a stop cut off

int failed(const std::string& what) {
  std::fprintf(stderr, "rockllama: %s\n", what.c_str());
  return kFailed;
}

void preload(const Config& config, Service* service) {
  for (const std::string& name : config.models.preload) {
    service->models().load(name, [name](const Status& status) {
      if (!status) spdlog::error("model {}: {}", name, status.error().message);
    });
  }
}

std::vector<api::Endpoint> endpoint_map(const Config& config) {
  std::vector<api::Endpoint> endpoints;
  for (const Config::Endpoint& endpoint : config.endpoints) {
    const auto kind = endpoint.kind == "completion" ? api::Endpoint::Kind::kCompletion : api::Endpoint::Kind::kChat;
    endpoints.push_back({endpoint.path, kind, endpoint.model, endpoint.cache});
  }
  return endpoints;
}

// All routes; gives what is wrong with the endpoint map.
std::vector<std::string> fill(http::Router* router, const api::Services& services, const Config& config) {
  api::add_all(*router, services);
  return api::add_endpoint_map(*router, services, endpoint_map(config));
}

// Runs the HTTP server until a signal ends it. Who waits longer than the grace time is told why it ends.
void serve_until_signal(http::HttpServer* server, Service* service, int grace_s) {
  std::promise<void> ended;
  std::thread signals([server, service, grace_s, over = ended.get_future()] {
    spdlog::info("signal {}: stopping", wait_for_stop_signal());
    server->stop(static_cast<uint32_t>(grace_s + kLastWordsS) * 1000);
    if (over.wait_for(std::chrono::seconds(grace_s)) == std::future_status::timeout) service->stop();
  });
  server->run();
  ended.set_value();
  signals.join();
}

// What the commands on a cache folder need of a server: all but workers and a listener.
struct FolderServer {
  explicit FolderServer(const Config& config)
      : registry(files.get(), config.models.folder, config.cache.folder + "/.fingerprints.json", model_defaults(config),
                 config.models.allow_scripted) {}
  ~FolderServer() {
    if (service) service->stop();
    executor.stop();
  }

  std::unique_ptr<FileSystem> files = make_posix_file_system();
  ModelRegistry registry;
  std::unique_ptr<CacheStore> store;
  Executor executor{1};
  std::unique_ptr<Service> service;
  http::Router router;
};

Result<Send> open_folder(const Config& config) {
  const auto server = std::make_shared<FolderServer>(config);
  auto store = CacheStore::open(server->files.get(), config.cache.folder, store_limits(config));
  if (!store) {
    const std::string what = "cache folder " + config.cache.folder + ": " + store.error().message;
    return fail(store.error().code, what);
  }
  server->store = std::move(*store);
  server->service = std::make_unique<Service>(service_options(config), &server->registry, server->store.get(),
                                              &server->executor, WorkerFactory());
  Service& service = *server->service;
  api::add_all(server->router, {.completions = &service.completions(),
                                .questions = &service.questions(),
                                .caches = &service.caches(),
                                .archives = &service.archives(),
                                .models = &service.models(),
                                .startup_caches = &service.startup_caches(),
                                .version = ROCKLLAMA_VERSION,
                                .executor = &server->executor});
  return Send([server](const http::ClientRequest& request) { return ask_locally(server->router, request); });
}

// An engine's threads wait for each other hundreds of times per token. One that spins for long, as libgomp's do by
// itself (GOMP_SPINCOUNT in its manual), keeps the one that it waits for off a core that other programs want, too:
// figures are in docs/performance.md. Before there are threads, for workers to inherit; who sets one of the variables
// knows better.
void let_waiting_threads_sleep_soon() {
#if defined(__aarch64__)
  const char* const spins = "20000";  // meant to be as long as on x86-64, whose turns pause
#else
  const char* const spins = "1000";
#endif
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", spins, 0);
}

int serve(const ServeFlags& flags) {
  let_waiting_threads_sleep_soon();
  const auto config = read_config(flags);
  if (!config) return kWrongUsage;
  set_up_log(config->server.log_level);
  raise_descriptor_limit();
  hold_signals();

  const auto files = make_posix_file_system();
  ModelRegistry registry(files.get(), config->models.folder, config->cache.folder + "/.fingerprints.json",
                         model_defaults(*config), config->models.allow_scripted);
  auto store = CacheStore::open(files.get(), config->cache.folder, store_limits(*config));
  if (!store) return failed("cache folder " + config->cache.folder + ": " + store.error().message);
  const auto program = worker_program(*config);
  if (!program) return failed(program.error().message);

  const auto keys = api_keys(*config, files.get());
  if (!keys) return failed("API keys: " + keys.error().message);

  // Requests are read by threads of their own, so that /health answers while slow disks keep the others waiting.
  Executor executor(kExecutorThreads), handlers(kExecutorThreads);
  Service service(service_options(*config), &registry, store->get(), &executor, worker_factory(*config, *program));
  http::Router router;
  const auto faults =
      fill(&router,
           {.completions = &service.completions(),
            .questions = &service.questions(),
            .caches = &service.caches(),
            .archives = &service.archives(),
            .models = &service.models(),
            .startup_caches = &service.startup_caches(),
            .version = ROCKLLAMA_VERSION,
            .heartbeat_ms = static_cast<uint32_t>(config->server.heartbeat_s) * 1000,
            .executor = &handlers,
            .keys = &*keys,
            .limits = call_limits(*config),
            .enable_thinking = config->inference.enable_thinking,
            .import_limit_bytes = static_cast<uint64_t>(config->cache.import_limit_mib) << 20,
            .stored_responses = {.entries = static_cast<size_t>(config->server.stored_responses),
                                 .bytes = static_cast<size_t>(config->server.stored_responses_mib) << 20}},
           *config);
  for (const std::string& fault : faults) std::fprintf(stderr, "error: %s\n", fault.c_str());
  if (!faults.empty()) return kWrongUsage;
  auto server = http::HttpServer::listen(http_options(*config), router, handlers, api::error_body);
  if (!server) return failed(server.error().message);
  print_welcome(*config, (*server)->port(), service.models().list());
  preload(*config, &service);
  service.startup_caches().begin(startup_caches(*config));
  serve_until_signal(server->get(), &service, config->server.shutdown_grace_s);
  handlers.stop();
  service.stop();
  executor.stop();
  return 0;
}

void add_serve(CLI::App* app, ServeFlags* flags) {
  app->add_option("--config", flags->config_file, "settings file (config/rockllama.json)");
  const auto setting = [app, flags](const char* name, const char* key, const char* help) {
    app->add_option_function<std::string>(
        name, [flags, key](const std::string& value) { flags->settings[key] = value; }, help);
  };
  setting("--models", "models.folder", "folder with one folder per model");
  setting("--cache", "cache.folder", "folder of the prompt caches");
  setting("--host", "server.host", "address to listen on (127.0.0.1; 0.0.0.0 serves the local network)");
  setting("--port", "server.port", "port to listen on (8080)");
}

// `bench ttft`; gives the subcommand to ask whether it was called.
CLI::App* add_bench(CLI::App* app, BenchTtftOptions* options) {
  CLI::App* bench = app->add_subcommand("bench", "measure this machine");
  bench->require_subcommand(1);
  CLI::App* ttft = bench->add_subcommand("ttft", "time to the first token: cold, over a prompt cache, after a restart");
  ttft->add_option("--model", options->model, "name of the model")->capture_default_str();
  ttft->add_option("--models", options->models_folder, "folder with one folder per model")->capture_default_str();
  ttft->add_option("--rounds", options->rounds, "rounds per prompt")->capture_default_str()->check(CLI::Range(1, 1000));
  ttft->add_option("--json", options->json_file, "file for every single figure");
  return ttft;
}

int run(int argc, char** argv) {
  CLI::App app("OpenAI-compatible LLM server with prompt caches, for small machines", "rockllama");
  app.require_subcommand(1);
  ServeFlags serve_flags;
  CLI::App* serve_command = app.add_subcommand("serve", "serve the HTTP API");
  add_serve(serve_command, &serve_flags);
  BenchTtftOptions bench_options;
  const CLI::App* ttft_command = add_bench(&app, &bench_options);
  CacheOptions cache_options;
  CacheCommand cache_command = nullptr;
  add_cache_commands(&app, &cache_options, &cache_command);
  DoctorOptions doctor_options;
  const CLI::App* doctor_command = add_doctor(&app, &doctor_options);
  CLI::App* version_command = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUsage;
  }
  if (version_command->parsed()) std::printf("rockllama %s\n", ROCKLLAMA_VERSION);
  if (serve_command->parsed()) return serve(serve_flags);
  if (ttft_command->parsed()) return run_bench_ttft(bench_options);
  spdlog::set_level(spdlog::level::warn);
  if (doctor_command->parsed()) return run_doctor(doctor_options, open_folder);
  if (cache_command != nullptr) {
    return run_cache_command(cache_command, cache_options, open_folder);
  }
  return 0;
}

}  // namespace
}  // namespace rockllama

int main(int argc, char** argv) { return rockllama::run(argc, argv); }
