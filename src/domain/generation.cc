#include "domain/generation.h"

namespace rockllama {
namespace {

// Calls `visit` with the name of each field and both values.
template <class A, class B, class Visit>
void for_each_field(A& a, B& b, const Visit& visit) {
  visit("temperature", a.temperature, b.temperature);
  visit("top_p", a.top_p, b.top_p);
  visit("top_k", a.top_k, b.top_k);
  visit("min_p", a.min_p, b.min_p);
  visit("repeat_penalty", a.repeat_penalty, b.repeat_penalty);
  visit("frequency_penalty", a.frequency_penalty, b.frequency_penalty);
  visit("presence_penalty", a.presence_penalty, b.presence_penalty);
  visit("mirostat", a.mirostat, b.mirostat);
  visit("mirostat_tau", a.mirostat_tau, b.mirostat_tau);
  visit("mirostat_eta", a.mirostat_eta, b.mirostat_eta);
  visit("seed", a.seed, b.seed);
  visit("logit_bias", a.logit_bias, b.logit_bias);
}

template <class T>
bool is_set(const std::optional<T>& field) {
  return field.has_value();
}
template <class T>
bool is_set(const std::vector<T>& field) {
  return !field.empty();
}

}  // namespace

std::vector<std::string> sampling_field_names() {
  std::vector<std::string> names;
  const SamplingParams none;
  for_each_field(none, none, [&](const char* name, const auto&, const auto&) { names.emplace_back(name); });
  return names;
}

std::vector<std::string> differing_fields(const SamplingParams& params, const SamplingParams& other) {
  std::vector<std::string> names;
  for_each_field(params, other, [&](const char* name, const auto& field, const auto& than) {
    if (is_set(field) && field != than) names.emplace_back(name);
  });
  return names;
}

SamplingParams merged(const SamplingParams& first, const SamplingParams& then) {
  SamplingParams result = first;
  for_each_field(result, then, [](const char*, auto& field, const auto& value) {
    if (!is_set(field)) field = value;
  });
  return result;
}

bool reused(const CacheUse& use) {
  return use.tokens > 0 && use.tier != CacheTier::kNone && use.tier != CacheTier::kText;
}

const char* to_string(CacheTier tier) {
  switch (tier) {
    case CacheTier::kNone:
      return "none";
    case CacheTier::kText:
      return "text";
    case CacheTier::kDisk:
      return "disk";
    case CacheTier::kMemory:
      return "memory";
    case CacheTier::kResident:
      return "resident";
  }
  return "none";
}

}  // namespace rockllama
