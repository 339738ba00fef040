#include "models/model_overrides.h"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json_depth.h"

namespace rockllama {
namespace {

using nlohmann::json;
// Takes a value over, or says what it must be.
using Setter = std::function<std::optional<std::string>(const json&)>;

template <class T>
Setter number(T* target, double low, double high) {
  return [=](const json& value) -> std::optional<std::string> {
    const bool kind = std::is_floating_point_v<T> ? value.is_number() : value.is_number_integer();
    if (!kind || value.get<double>() < low || value.get<double>() > high) {
      return "must be a number from " + json(low).dump() + " to " + json(high).dump();
    }
    *target = value.get<T>();
    return std::nullopt;
  };
}

template <class T>
Setter number(std::optional<T>* target, double low, double high) {
  return [=](const json& value) {
    T plain{};
    auto fault = number(&plain, low, high)(value);
    if (!fault) *target = plain;
    return fault;
  };
}

Setter text(std::string* target) {
  return [=](const json& value) -> std::optional<std::string> {
    if (!value.is_string()) return "must be a text";
    *target = value.get<std::string>();
    return std::nullopt;
  };
}

Setter word(std::string* target, const std::vector<std::string>& words) {
  return [=](const json& value) -> std::optional<std::string> {
    std::string list;
    for (const std::string& one : words) {
      list += (list.empty() ? "" : ", ") + one;
      if (value != one) continue;
      *target = one;
      return std::nullopt;
    }
    return "must be one of " + list;
  };
}

std::map<std::string, Setter> model_setters(ModelEntry* entry) {
  ModelSpec& spec = entry->spec;
  return {{"context_tokens", number(&spec.context_tokens, 0, 1e8)},
          {"parallel", number(&spec.parallel, 1, 64)},
          {"threads", number(&spec.threads, 0, 512)},
          {"kv_tokens", number(&spec.kv_tokens, 0, 1e8)},
          {"block_tokens", number(&spec.block_tokens, 1, 4096)},
          {"max_tokens", number(&spec.default_max_tokens, -1, 1e8)},
          {"keep_alive_s", number(&entry->keep_alive_s, 0, 1e9)},
          {"default_cache", text(&entry->default_cache)},
          {"prompt_mode", word(&spec.rkllm.prompt_mode, {"tokens", "rendered", "native"})}};
}

Setter flag(bool* target) {
  return [=](const json& value) -> std::optional<std::string> {
    if (!value.is_boolean()) return "must be true or false";
    *target = value.get<bool>();
    return std::nullopt;
  };
}

std::map<std::string, Setter> rkllm_setters(ModelEntry* entry) {
  RkllmSettings& settings = entry->spec.rkllm;
  return {{"library", text(&settings.library)},
          {"version", text(&settings.version)},
          {"lora", text(&entry->lora)},
          {"lora_scale", number(&settings.lora_scale, 0, 100)},
          {"n_keep", number(&settings.n_keep, -1, 1e8)},
          {"skip_special_token", flag(&settings.skip_special_token)},
          {"base_domain_id", number(&settings.base_domain_id, 0, 16)},
          {"embed_flash", flag(&settings.embed_flash)},
          {"n_batch", number(&settings.n_batch, 1, 100)},
          {"enabled_cpus_num", number(&settings.enabled_cpus_num, 0, 32)},
          {"enabled_cpus_mask", number(&settings.enabled_cpus_mask, 0, 2147483647.0)}};
}

std::map<std::string, Setter> embedding_setters(EmbeddingSettings* settings) {
  return {{"max_context_len", number(&settings->max_tokens, 0, 1e8)},
          {"pooling_strategy", word(&settings->pooling, {"auto", "mean", "cls", "last"})},
          {"normalize", flag(&settings->normalize)}};
}

std::map<std::string, Setter> sampling_setters(SamplingParams* sampling) {
  return {{"temperature", number(&sampling->temperature, 0, 2)},
          {"top_p", number(&sampling->top_p, 0, 1)},
          {"top_k", number(&sampling->top_k, 0, 1e6)},
          {"min_p", number(&sampling->min_p, 0, 1)},
          {"repeat_penalty", number(&sampling->repeat_penalty, 0.01, 2)},
          {"frequency_penalty", number(&sampling->frequency_penalty, -2, 2)},
          {"presence_penalty", number(&sampling->presence_penalty, -2, 2)},
          {"mirostat", number(&sampling->mirostat, 0, 2)},
          {"mirostat_tau", number(&sampling->mirostat_tau, 0, 100)},
          {"mirostat_eta", number(&sampling->mirostat_eta, 0, 1)},
          {"seed", number(&sampling->seed, 0, 4294967295.0)}};
}

bool is_section(const std::string& key) { return key == "sampling" || key == "embedding" || key == "rkllm"; }

void apply(const json& object, const std::map<std::string, Setter>& setters, const std::string& prefix,
           OverrideReport* report) {
  for (const auto& [key, value] : object.items()) {
    if (key == "notes" || key == "description" || (prefix.empty() && is_section(key))) continue;
    const auto setter = setters.find(key);
    if (setter == setters.end()) {
      report->warnings.push_back(prefix + key + ": unknown key");
    } else if (const auto fault = setter->second(value)) {
      report->errors.push_back(prefix + key + ": " + *fault);
    }
  }
}

void apply_section(const json& object, const char* key, const std::map<std::string, Setter>& setters,
                   OverrideReport* report) {
  const auto section = object.find(key);
  if (section == object.end()) return;
  if (section->is_object()) {
    apply(*section, setters, std::string(key) + ".", report);
  } else {
    report->errors.push_back(std::string(key) + ": must be an object");
  }
}

// An object, or discarded.
json parse_object(std::string_view text) {
  if (nested_too_deep(text)) return json(json::value_t::discarded);
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json(json::value_t::discarded);
}

}  // namespace

OverrideReport apply_overrides(std::string_view text, ModelEntry* entry) {
  OverrideReport report;
  const json object = parse_object(text);
  if (object.is_discarded()) {
    report.errors.emplace_back("is no JSON object");
    return report;
  }
  apply(object, model_setters(entry), "", &report);
  apply_section(object, "sampling", sampling_setters(&entry->spec.sampling_defaults), &report);
  apply_section(object, "embedding", embedding_setters(&entry->spec.embedding), &report);
  apply_section(object, "rkllm", rkllm_setters(entry), &report);
  return report;
}

}  // namespace rockllama
