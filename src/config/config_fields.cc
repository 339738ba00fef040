#include "config/config_fields.h"

#include <cmath>
#include <sstream>

#include "config/api_key_settings.h"

namespace rockllama {
namespace {

using nlohmann::json;

std::string number_text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string range_text(const char* kind, double low, double high) {
  return std::string("must be ") + kind + " from " + number_text(low) + " to " + number_text(high);
}

// `member(config)` is a reference to the setting.
template <class Member>
ConfigField integer(std::string path, Member member, int low, int high) {
  return {std::move(path),
          [=](Config& config, const json& value) -> std::optional<std::string> {
            const bool whole = value.is_number_integer() ||
                               (value.is_number() && std::trunc(value.get<double>()) == value.get<double>());
            if (!whole || value.get<double>() < low || value.get<double>() > high) {
              return range_text("a whole number", low, high);
            }
            member(config) = value.get<int>();
            return std::nullopt;
          },
          [=](const Config& config) { return json(member(const_cast<Config&>(config))); }};
}

template <class Member>
ConfigField number(std::string path, Member member, double low, double high) {
  return {std::move(path),
          [=](Config& config, const json& value) -> std::optional<std::string> {
            if (!value.is_number() || value.get<double>() < low || value.get<double>() > high) {
              return range_text("a number", low, high);
            }
            member(config) = value.get<double>();
            return std::nullopt;
          },
          [=](const Config& config) { return json(member(const_cast<Config&>(config))); }};
}

template <class Member>
ConfigField flag(std::string path, Member member) {
  return {std::move(path),
          [=](Config& config, const json& value) -> std::optional<std::string> {
            if (!value.is_boolean()) return "must be true or false";
            member(config) = value.get<bool>();
            return std::nullopt;
          },
          [=](const Config& config) { return json(member(const_cast<Config&>(config))); }};
}

template <class Member>
ConfigField text(std::string path, Member member) {
  return {std::move(path),
          [=](Config& config, const json& value) -> std::optional<std::string> {
            if (!value.is_string()) return "must be a text";
            member(config) = value.get<std::string>();
            return std::nullopt;
          },
          [=](const Config& config) { return json(member(const_cast<Config&>(config))); }};
}

template <class Member>
ConfigField texts(std::string path, Member member) {
  return {std::move(path),
          [=](Config& config, const json& value) -> std::optional<std::string> {
            std::vector<std::string> list;
            if (!value.is_array()) return "must be a list of texts";
            for (const json& item : value) {
              if (!item.is_string()) return "must be a list of texts";
              list.push_back(item.get<std::string>());
            }
            member(config) = std::move(list);
            return std::nullopt;
          },
          [=](const Config& config) { return json(member(const_cast<Config&>(config))); }};
}

// Gives names alone: what is shown of the settings holds no key.
template <class Member>
ConfigField api_keys(std::string path, Member member) {
  return {std::move(path), [=](Config& config, const json& value) { return parse_api_keys(value, &member(config)); },
          [=](const Config& config) {
            json names = json::array();
            for (const auto& [name, key] : member(const_cast<Config&>(config))) names.push_back(name);
            return names;
          }};
}

ConfigField one_of(ConfigField field, const std::vector<std::string>& words) {
  const auto set = field.set;
  field.set = [set, words](Config& config, const json& value) -> std::optional<std::string> {
    std::string list;
    for (const std::string& word : words) {
      if (value == word) return set(config, value);
      list += (list.empty() ? "" : ", ") + word;
    }
    return "must be one of " + list;
  };
  return field;
}

// A setting of another engine or of the Python server: its kind is checked, then it is let go.
ConfigField without_effect(std::string path, const json& example) {
  return {std::move(path),
          [example](Config&, const json& value) -> std::optional<std::string> {
            const bool same = example.is_number() ? value.is_number() : value.type() == example.type();
            if (same) return std::nullopt;
            return std::string("must be ") + (example.is_number()    ? "a number"
                                              : example.is_boolean() ? "true or false"
                                                                     : "a text");
          },
          [example](const Config&) { return example; }};
}

constexpr int kDay = 86400;
constexpr int kMillion = 1'000'000;
constexpr int kLargestMask = 0x7fffffff;

}  // namespace

#define MEMBER(expression) \
  [](Config & c) -> auto& { return c.expression; }

const std::vector<ConfigField>& server_fields() {
  static const std::vector<ConfigField> fields = {
      text("server.host", MEMBER(server.host)),
      integer("server.port", MEMBER(server.port), 0, 65535),
      integer("server.body_limit_mib", MEMBER(server.body_limit_mib), 1, 64),
      integer("server.max_connections", MEMBER(server.max_connections), 1, kMillion),
      integer("server.queue_limit", MEMBER(server.queue_limit), 1, kMillion),
      integer("server.load_timeout_s", MEMBER(server.load_timeout_s), 1, kDay),
      integer("server.shutdown_grace_s", MEMBER(server.shutdown_grace_s), 0, kDay),
      integer("server.header_timeout_s", MEMBER(server.header_timeout_s), 1, kDay),
      integer("server.body_timeout_s", MEMBER(server.body_timeout_s), 1, kDay),
      integer("server.idle_timeout_s", MEMBER(server.idle_timeout_s), 1, kDay),
      integer("server.write_timeout_s", MEMBER(server.write_timeout_s), 1, kDay),
      integer("server.heartbeat_s", MEMBER(server.heartbeat_s), 1, kDay),
      one_of(text("server.log_level", MEMBER(server.log_level)), {"debug", "info", "warning", "error"}),
      api_keys("server.api_keys", MEMBER(server.api_keys)),
      text("server.tls_certificate_file", MEMBER(server.tls_certificate_file)),
      text("server.tls_key_file", MEMBER(server.tls_key_file)),
      text("server.api_keys_file", MEMBER(server.api_keys_file)),
      integer("server.key_requests_per_minute", MEMBER(server.key_requests_per_minute), 0, kMillion),
      integer("server.key_parallel", MEMBER(server.key_parallel), 0, kMillion),
      texts("server.cors_origins", MEMBER(server.cors_origins)),
      integer("server.stored_responses", MEMBER(server.stored_responses), 0, kMillion),
      integer("server.stored_responses_mib", MEMBER(server.stored_responses_mib), 1, kMillion),
      text("models.folder", MEMBER(models.folder)),
      text("models.default_model", MEMBER(models.default_model)),
      texts("models.preload", MEMBER(models.preload)),
      integer("models.max_loaded", MEMBER(models.max_loaded), 1, 64),
      number("models.keep_alive_s", MEMBER(models.keep_alive_s), 0, kDay * 365.0),
      integer("models.parallel", MEMBER(models.parallel), 1, 64),
      integer("models.threads", MEMBER(models.threads), 0, 512),
      integer("models.kv_tokens", MEMBER(models.kv_tokens), 0, 100 * kMillion),
      integer("models.block_tokens", MEMBER(models.block_tokens), 1, 4096),
      flag("models.allow_scripted", MEMBER(models.allow_scripted)),
      text("worker.path", MEMBER(worker.path)),
      integer("worker.hang_floor_ms", MEMBER(worker.hang_floor_ms), 10, kDay * 1000),
      integer("worker.restart_backoff_ms", MEMBER(worker.restart_backoff_ms), 1, kDay * 1000),
      text("rkllm.library", MEMBER(rkllm.library)),
      text("rkllm.version", MEMBER(rkllm.version)),
      text("cache.folder", MEMBER(cache.folder)),
      text("cache.default_cache", MEMBER(cache.default_cache)),
      flag("cache.automatic_reuse", MEMBER(cache.automatic_reuse)),
      integer("cache.automatic_memory_mib", MEMBER(cache.automatic_memory_mib), 0, kMillion),
      flag("cache.automatic_files", MEMBER(cache.automatic_files)),
      integer("cache.auto_cache_mib", MEMBER(cache.auto_cache_mib), 1, 100 * kMillion),
      integer("cache.automatic_write_mib_per_day", MEMBER(cache.automatic_write_mib_per_day), 0, 100 * kMillion),
      integer("cache.max_total_mib", MEMBER(cache.max_total_mib), 0, 100 * kMillion),
      integer("cache.max_model_mib", MEMBER(cache.max_model_mib), 0, 100 * kMillion),
      integer("cache.max_entries", MEMBER(cache.max_entries), 0, 100 * kMillion),
      integer("cache.keep_free_mib", MEMBER(cache.keep_free_mib), 0, 100 * kMillion),
      integer("cache.import_limit_mib", MEMBER(cache.import_limit_mib), 1, kMillion),
  };
  return fields;
}

const std::vector<ConfigField>& inference_fields() {
  static const std::vector<ConfigField> fields = {
      integer("model_defaults.max_context_len", MEMBER(inference.max_context_len), 0, 100 * kMillion),
      integer("model_defaults.max_new_tokens", MEMBER(inference.max_new_tokens), -1, 100 * kMillion),
      integer("model_defaults.n_keep", MEMBER(inference.n_keep), -1, 100 * kMillion),
      flag("model_defaults.skip_special_token", MEMBER(inference.skip_special_token)),
      without_effect("model_defaults.is_async", true),
      flag("model_defaults.enable_thinking", MEMBER(inference.enable_thinking)),
      integer("inference_params.top_k", MEMBER(inference.top_k), 0, kMillion),
      number("inference_params.top_p", MEMBER(inference.top_p), 0, 1),
      number("inference_params.min_p", MEMBER(inference.min_p), 0, 1),
      number("inference_params.temperature", MEMBER(inference.temperature), 0, 2),
      number("inference_params.repeat_penalty", MEMBER(inference.repeat_penalty), 0.01, 2),
      number("inference_params.frequency_penalty", MEMBER(inference.frequency_penalty), -2, 2),
      number("inference_params.presence_penalty", MEMBER(inference.presence_penalty), -2, 2),
      integer("inference_params.mirostat", MEMBER(inference.mirostat), 0, 2),
      number("inference_params.mirostat_tau", MEMBER(inference.mirostat_tau), 0, 100),
      number("inference_params.mirostat_eta", MEMBER(inference.mirostat_eta), 0, 1),
      without_effect("hardware.num_npu_cores", 3),
      integer("hardware.base_domain_id", MEMBER(inference.base_domain_id), 0, 16),
      integer("hardware.embed_flash", MEMBER(inference.embed_flash), 0, 1),
      integer("hardware.n_batch", MEMBER(inference.n_batch), 1, 100),
      without_effect("hardware.use_cross_attn", 0),
      integer("hardware.enabled_cpus_num", MEMBER(inference.enabled_cpus_num), 0, 32),
      integer("hardware.enabled_cpus_mask", MEMBER(inference.enabled_cpus_mask), 0, kLargestMask),
      text("chat_template.system_prompt", MEMBER(inference.system_prompt)),
      without_effect("chat_template.user_prefix", ""),
      without_effect("chat_template.assistant_prefix", ""),
      integer("embedding_model.max_context_len", MEMBER(inference.embedding_context_len), 0, 100 * kMillion),
      one_of(text("embedding_model.pooling_strategy", MEMBER(inference.pooling_strategy)),
             {"auto", "mean", "cls", "last"}),
      flag("embedding_model.normalize", MEMBER(inference.normalize_embeddings)),
  };
  return fields;
}

#undef MEMBER

nlohmann::json to_json(const Config& config, const std::vector<ConfigField>& fields) {
  json result = json::object();
  for (const ConfigField& field : fields) {
    const size_t dot = field.path.find('.');
    result[field.path.substr(0, dot)][field.path.substr(dot + 1)] = field.get(config);
  }
  return result;
}

}  // namespace rockllama
