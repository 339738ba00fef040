// All settings of the server in one struct. Sources, later wins: defaults, config/rockllama.json and
// config/inference_config.json, environment (ROCKLLAMA_...), flags. Every fault of every source is reported at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace rockllama {

using ApiKeyMap = std::map<std::string, std::string>;  // name -> key

struct Config {
  struct Server {
    std::string host = "127.0.0.1";
    int port = 8080;
    std::string tls_certificate_file{};  // PEM, with the chain; empty = no TLS
    std::string tls_key_file{};          // PEM; the two go together
    int body_limit_mib = 16;
    int max_connections = 8192;
    int queue_limit = 64;      // requests per model that wait or run
    int load_timeout_s = 120;  // how long a request waits for a load or a restart
    int shutdown_grace_s = 10;
    int header_timeout_s = 15;
    int body_timeout_s = 60;
    int idle_timeout_s = 75;
    int write_timeout_s = 30;
    int heartbeat_s = 5;                      // comment lines in streams that have nothing to say
    std::string log_level = "info";           // debug, info, warning, error
    ApiKeyMap api_keys{};                     // none = everybody may call; those of the file too
    std::string api_keys_file{};              // lines name:key
    int key_requests_per_minute = 0;          // of each API key; 0 = no limit, as the next
    int key_parallel = 0;                     // requests of each API key at once
    std::vector<std::string> cors_origins{};  // pages of which origins may call; "*" = all
    int stored_responses = 1000;              // of /v1/responses, in memory; 0 = none
    int stored_responses_mib = 64;
  } server;
  struct Models {
    std::string folder = "models";
    std::string default_model{};         // for requests without `model`
    std::vector<std::string> preload{};  // loaded at start
    int max_loaded = 2;                  // the least recently used idle one makes room
    double keep_alive_s = 1800;          // idle unload; 0 = never
    int parallel = 8;                    // generations at once
    int threads = 0;                     // 0 = performance cores
    int kv_tokens = 0;                   // cells of the KV buffer; 0 = chosen by the engine
    int block_tokens = 256;              // prefill block
    bool allow_scripted = false;         // for tests: serve models/<name>/*.script
  } models;
  struct Worker {
    std::string path{};            // of rockllama-worker; empty = beside rockllama, else ../libexec/rockllama
    int hang_floor_ms = 30'000;    // a worker without progress is given at least this long
    int restart_backoff_ms = 250;  // doubles with each crash in a row, up to 30 s
  } worker;
  struct Rkllm {
    std::string library{};  // path of librkllmrt.so; empty = RKLLM_LIB_PATH, then the loader's own search
    std::string version{};  // what the library is taken for; empty = it is found out
  } rkllm;
  struct Cache {
    std::string folder = "cache";
    std::string default_cache{};
    bool automatic_reuse = true;             // finished conversations stay reusable, in memory
    int automatic_memory_mib = 512;          // per model, for those that left the KV buffer
    bool automatic_files = false;            // and on disk
    int auto_cache_mib = 1024;               // of all models' automatic states on disk
    int automatic_write_mib_per_day = 4096;  // flash wears; 0 = no limit
    int max_total_mib = 0;                   // of all caches; 0 = no limit
    int max_model_mib = 0;                   // of one model's caches; 0 = no limit
    int max_entries = 0;                     // named caches; 0 = no limit
    int keep_free_mib = 256;                 // on the device
    int import_limit_mib = 2048;             // of an archive
  } cache;
  // inference_config.json: what is not named here is accepted and, until an engine uses it, without effect.
  struct Inference {
    int max_context_len = 0;  // 0 = the smaller of the model's own and 8192
    int max_new_tokens = -1;  // -1 = no limit
    bool enable_thinking = false;
    double temperature = 0.8;
    double top_p = 0.95;
    double min_p = 0.05;
    int top_k = 40;
    double repeat_penalty = 1.0;
    double frequency_penalty = 0.0;
    double presence_penalty = 0.0;
    int mirostat = 0;
    double mirostat_tau = 5.0;
    double mirostat_eta = 0.1;
    std::string system_prompt{};  // of chat_template; config/system.txt wins over it
    // Of embedding_model.
    int embedding_context_len = 0;          // of one input; 0 = the model's context
    std::string pooling_strategy = "auto";  // mean, cls, last; auto = as the model file says, else mean
    bool normalize_embeddings = true;
    // Of the RKLLM runtime.
    int n_keep = 0;
    bool skip_special_token = true;
    int base_domain_id = 0;
    int embed_flash = 0;
    int n_batch = 1;
    int enabled_cpus_num = 4;
    int enabled_cpus_mask = 240;
  } inference;
  // A cache that is made at start.
  struct StartupCache {
    std::string model{};  // empty = the default model
    std::string name{};
    std::string content{};        // as it is stored
    std::string parent{};         // empty = none
    std::string format = "both";  // both, chat, raw
    std::optional<bool> pinned{};
    bool required = false;  // the server is not ready before it is made
  };
  std::vector<StartupCache> startup_caches{};
  // A path that is served as a dialect, with a model and a cache.
  struct Endpoint {
    std::string path{};
    std::string kind = "chat";  // chat, completion
    std::string model{};        // empty = as for any request that names none
    std::string cache{};        // empty = none
  };
  std::vector<Endpoint> endpoints{};
  std::string system_prompt{};         // text of config/system.txt, else chat_template.system_prompt; may be empty
  std::string system_prompt_source{};  // the file it came from, as it was found
  std::string system_prompt_file{};    // config/system.txt as it was found; empty = it is not there
};

// The text of a file for people without the space at its end; unset where it is not UTF-8. A file that cannot be read
// is empty.
[[nodiscard]] std::optional<std::string> read_system_text(const std::string& path);

// One thing that is wrong, and where: "config/rockllama.json: server.port: must be 0 to 65535".
struct ConfigReport {
  std::vector<std::string> errors{};
  std::vector<std::string> warnings{};  // unknown keys
};

struct ConfigSources {
  std::string config_file{};                         // --config; empty = search
  std::map<std::string, std::string> environment{};  // all of it; only ROCKLLAMA_ names count
  std::map<std::string, std::string> flags{};        // "server.port" -> "8081"
};

// config/ is looked for in the working directory, then beside --config, then in /etc/rockllama. Reads files. A file
// that is missing is no fault, unless --config named it.
[[nodiscard]] Config load_config(const ConfigSources& sources, ConfigReport* report);

}  // namespace rockllama
