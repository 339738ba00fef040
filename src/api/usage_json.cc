#include "api/usage_json.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "api/nullable.h"
#include "api/rounding.h"

namespace rockllama::api {
namespace {

OrderedJson cache_json(const CacheUse& cache, double prefill_ms) {
  return {{"name", text_or_null(cache.name)}, {"tier", to_string(cache.tier)},
          {"tokens", cache.tokens},           {"restore_ms", tenths(cache.restore_ms)},
          {"prefill_ms", tenths(prefill_ms)}, {"reason", text_or_null(cache.reason)}};
}

std::string header_safe(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != ';' && c != '%') {
      safe += c;
    } else {
      std::array<char, 4> code;
      std::snprintf(code.data(), code.size(), "%%%02X", byte);
      safe += code.data();
    }
  }
  return safe;
}

}  // namespace

OrderedJson usage_json(const CompletionDone& done) {
  const bool hit = reused(done.cache);
  OrderedJson names = nullptr;
  const std::string& name = done.cache.state_of.empty() ? done.cache.name : done.cache.state_of;
  if (hit && !name.empty()) names = OrderedJson::array({name});
  return {{"prompt_tokens", done.usage.prompt_tokens},
          {"completion_tokens", done.usage.completion_tokens},
          {"total_tokens", done.usage.prompt_tokens + done.usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", hit ? done.cache.tokens : 0}}},
          {"cache_hit", hit},
          {"cached_prompts", std::move(names)},
          {"cache", cache_json(done.cache, done.usage.prefill_ms)},
          {"timings",
           {{"ttft_ms", tenths(done.ttft_ms)},
            {"total_ms", tenths(done.total_ms)},
            {"tokens_per_second", tenths(done.tokens_per_second)}}}};
}

// The same figures under other names. Tokens of reasoning are not counted apart, and nothing is charged for writing.
OrderedJson response_usage_json(const CompletionDone& done) {
  const OrderedJson usage = usage_json(done);
  OrderedJson input_details = usage.at("prompt_tokens_details");
  input_details["cache_write_tokens"] = 0;
  OrderedJson json = {{"input_tokens", usage.at("prompt_tokens")},
                      {"input_tokens_details", std::move(input_details)},
                      {"output_tokens", usage.at("completion_tokens")},
                      {"output_tokens_details", {{"reasoning_tokens", 0}}}};
  for (const char* name : {"total_tokens", "cache_hit", "cached_prompts", "cache", "timings"}) {
    json[name] = usage.at(name);
  }
  return json;
}

std::string prompt_cache_header(const CacheUse& cache) {
  std::string value = "miss";
  if (cache.tier == CacheTier::kText) value = "text";
  if (reused(cache)) value = "hit";
  if (!cache.name.empty()) value += "; name=" + header_safe(cache.name);
  return value + "; tokens=" + std::to_string(reused(cache) ? cache.tokens : 0);
}

}  // namespace rockllama::api
