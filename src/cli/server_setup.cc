#include "cli/server_setup.h"

#include <pthread.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "base/one_line.h"
#include "base/subprocess.h"

namespace rockllama {
namespace {

// The message of a log line, which may hold what clients and people gave names to.
class OneLine : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const std::string text = one_line(std::string(message.payload.begin(), message.payload.end()));
    line.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<OneLine>(); }
};

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

SamplingParams sampling_defaults(const Config::Inference& inference) {
  const auto narrow = [](double value) { return static_cast<float>(value); };
  return {.temperature = narrow(inference.temperature),
          .top_p = narrow(inference.top_p),
          .top_k = inference.top_k,
          .min_p = narrow(inference.min_p),
          .repeat_penalty = narrow(inference.repeat_penalty),
          .frequency_penalty = narrow(inference.frequency_penalty),
          .presence_penalty = narrow(inference.presence_penalty),
          .mirostat = inference.mirostat,
          .mirostat_tau = narrow(inference.mirostat_tau),
          .mirostat_eta = narrow(inference.mirostat_eta)};
}

uint64_t bytes_of_mib(int mib) { return static_cast<uint64_t>(mib) << 20; }

}  // namespace

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const size_t equals = text.find('='); equals != std::string_view::npos) {
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return result;
}

std::optional<Config> read_config(const ServeFlags& flags) {
  ConfigReport report;
  Config config = load_config({flags.config_file, environment(), flags.settings}, &report);
  for (const std::string& warning : report.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const std::string& error : report.errors) std::fprintf(stderr, "error: %s\n", error.c_str());
  if (!report.errors.empty()) return std::nullopt;
  return config;
}

void set_up_log(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("rockllama"));
  auto format = std::make_unique<spdlog::pattern_formatter>();
  format->add_flag<OneLine>('*').set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %*");
  spdlog::set_formatter(std::move(format));
  spdlog::set_level(spdlog::level::from_str(level));
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void hold_signals() {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal() {
  const sigset_t signals = stop_signals();
  int number = 0;
  ::sigwait(&signals, &number);
  return number;
}

RkllmSettings rkllm_settings(const Config& config) {
  const Config::Inference& inference = config.inference;
  RkllmSettings settings{.library = config.rkllm.library, .version = config.rkllm.version};
  settings.n_keep = inference.n_keep;
  settings.skip_special_token = inference.skip_special_token;
  settings.base_domain_id = static_cast<uint32_t>(inference.base_domain_id);
  settings.embed_flash = inference.embed_flash != 0;
  settings.n_batch = static_cast<uint32_t>(inference.n_batch);
  settings.enabled_cpus_num = static_cast<uint32_t>(inference.enabled_cpus_num);
  settings.enabled_cpus_mask = static_cast<uint32_t>(inference.enabled_cpus_mask);
  return settings;
}

ModelSpec model_defaults(const Config& config) {
  ModelSpec spec;
  spec.context_tokens = static_cast<uint32_t>(config.inference.max_context_len);
  spec.kv_tokens = static_cast<uint32_t>(config.models.kv_tokens);
  spec.parallel = static_cast<uint32_t>(config.models.parallel);
  spec.block_tokens = static_cast<uint32_t>(config.models.block_tokens);
  spec.threads = static_cast<uint32_t>(config.models.threads);
  spec.automatic_reuse = config.cache.automatic_reuse;
  spec.automatic_memory_bytes = bytes_of_mib(config.cache.automatic_memory_mib);
  spec.offer_evicted = config.cache.automatic_files;
  spec.sampling_defaults = sampling_defaults(config.inference);
  spec.default_max_tokens = config.inference.max_new_tokens;
  spec.embedding = {.pooling = config.inference.pooling_strategy,
                    .normalize = config.inference.normalize_embeddings,
                    .max_tokens = static_cast<uint32_t>(config.inference.embedding_context_len)};
  spec.rkllm = rkllm_settings(config);
  return spec;
}

StoreLimits store_limits(const Config& config) {
  const Config::Cache& cache = config.cache;
  return {.max_total_bytes = bytes_of_mib(cache.max_total_mib),
          .max_model_bytes = bytes_of_mib(cache.max_model_mib),
          .max_entries = static_cast<uint64_t>(cache.max_entries),
          .keep_free_bytes = bytes_of_mib(cache.keep_free_mib),
          .automatic_bytes = bytes_of_mib(cache.auto_cache_mib),
          .automatic_write_bytes_per_day = bytes_of_mib(cache.automatic_write_mib_per_day)};
}

// config/system.txt may be edited while the server runs; the next load takes the new text.
std::function<std::string()> system_prompt(const Config& config) {
  return [file = config.system_prompt_file, text = config.system_prompt] {
    return file.empty() ? text : read_system_text(file).value_or("");
  };
}

ServiceOptions service_options(const Config& config) {
  return {.default_model = config.models.default_model,
          .default_cache = config.cache.default_cache,
          .max_loaded = config.models.max_loaded,
          .keep_alive_s = config.models.keep_alive_s,
          .queue_limit = config.server.queue_limit,
          .load_timeout_s = static_cast<double>(config.server.load_timeout_s),
          .automatic_files = config.cache.automatic_files,
          .system_prompt = system_prompt(config),
          .system_prompt_source = config.system_prompt_source};
}

std::vector<StartupCache> startup_caches(const Config& config) {
  std::vector<StartupCache> caches;
  for (const Config::StartupCache& cache : config.startup_caches) {
    const CacheFormatChoice format = cache.format == "chat"  ? CacheFormatChoice::kChat
                                     : cache.format == "raw" ? CacheFormatChoice::kRaw
                                                             : CacheFormatChoice::kBoth;
    caches.push_back({.request = {.model = cache.model,
                                  .name = cache.name,
                                  .text = cache.content,
                                  .parent = cache.parent,
                                  .format = format,
                                  .source = "startup",
                                  .pinned = cache.pinned},
                      .required = cache.required});
  }
  return caches;
}

http::ServerOptions http_options(const Config& config) {
  const Config::Server& server = config.server;
  const auto ms = [](int seconds) { return static_cast<uint32_t>(seconds) * 1000; };
  http::ServerOptions options;
  options.host = server.host;
  options.port = static_cast<uint16_t>(server.port);
  options.tls_certificate_file = server.tls_certificate_file;
  options.tls_key_file = server.tls_key_file;
  options.body_limit_bytes = bytes_of_mib(server.body_limit_mib);
  options.max_connections = static_cast<uint32_t>(server.max_connections);
  options.header_timeout_ms = ms(server.header_timeout_s);
  options.body_timeout_ms = ms(server.body_timeout_s);
  options.idle_timeout_ms = ms(server.idle_timeout_s);
  options.write_timeout_ms = ms(server.write_timeout_s);
  options.cors.origins = server.cors_origins;
  return options;
}

CallLimits call_limits(const Config& config) {
  return {.requests_per_minute = static_cast<uint32_t>(config.server.key_requests_per_minute),
          .parallel = static_cast<uint32_t>(config.server.key_parallel)};
}

Result<ApiKeys> api_keys(const Config& config, FileSystem* files) {
  if (config.server.api_keys.empty()) return ApiKeys();
  auto secret = read_or_make_secret(files, config.cache.folder + "/.secret");
  if (!secret) return fail(secret.error());
  return ApiKeys::make(config.server.api_keys, std::move(*secret));
}

Result<std::string> worker_program(const Config& config) {
  if (!config.worker.path.empty()) return config.worker.path;
  const std::string folder = executable_folder();
  for (const char* place : {"/rockllama-worker", "/../libexec/rockllama/rockllama-worker"}) {
    if (::access((folder + place).c_str(), X_OK) == 0) return folder + place;
  }
  return fail(ErrorCode::kNotFound,
              "rockllama-worker is neither beside rockllama nor in its libexec folder; name it in worker.path");
}

WorkerFactory worker_factory(const Config& config, std::string program) {
  const WorkerProcessOptions base{.program = std::move(program),
                                  .hang_floor_ms = static_cast<double>(config.worker.hang_floor_ms),
                                  .restart_backoff_ms = static_cast<double>(config.worker.restart_backoff_ms)};
  return [base](const ModelSpec& spec, uint64_t model_bytes, WorkerSink sink) {
    WorkerProcessOptions options = base;
    options.model_bytes = model_bytes;
    return std::make_unique<WorkerProcess>(std::move(options), spec, std::move(sink));
  };
}

void print_welcome(const Config& config, uint16_t port, const std::vector<ModelStatus>& models) {
  const bool everywhere = config.server.host == "0.0.0.0" || config.server.host == "::";
  const std::string host = everywhere ? "127.0.0.1" : config.server.host;
  const std::string scheme = config.server.tls_certificate_file.empty() ? "http" : "https";
  const std::string address = scheme + "://" + host + ":" + std::to_string(port);
  std::printf("rockllama listens on %s (OpenAI API: %s/v1)\n", address.c_str(), address.c_str());
  if (!everywhere) std::printf("To serve the local network, start with --host 0.0.0.0\n");
  for (const ModelStatus& model : models) std::printf("model: %s (%s)\n", model.name.c_str(), model.filename.c_str());
  for (const Config::Endpoint& endpoint : config.endpoints) {
    std::printf("endpoint: POST %s (%s, model %s, cache %s)\n", endpoint.path.c_str(), endpoint.kind.c_str(),
                endpoint.model.empty() ? "of the request or the default" : endpoint.model.c_str(),
                endpoint.cache.empty() ? "none" : endpoint.cache.c_str());
  }
  if (models.empty()) {
    std::printf("No model found: put a .gguf or .rkllm file into %s/NAME/; no restart is needed.\n",
                config.models.folder.c_str());
  }
  std::fflush(stdout);
}

}  // namespace rockllama
