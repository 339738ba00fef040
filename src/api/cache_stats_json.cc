#include "api/cache_stats_json.h"

#include "api/rounding.h"

namespace rockllama::api {
namespace {

OrderedJson limit_mb(uint64_t bytes) { return bytes == 0 ? OrderedJson(nullptr) : OrderedJson(megabytes(bytes)); }

OrderedJson budget_json(const StoreLimits& limits) {
  return {{"total_mb", limit_mb(limits.max_total_bytes)},
          {"model_mb", limit_mb(limits.max_model_bytes)},
          {"entries", limits.max_entries == 0 ? OrderedJson(nullptr) : OrderedJson(limits.max_entries)},
          {"keep_free_mb", megabytes(limits.keep_free_bytes)},
          {"automatic_mb", limit_mb(limits.automatic_bytes)},
          {"automatic_write_mb_per_day", limit_mb(limits.automatic_write_bytes_per_day)}};
}

OrderedJson use_json(const StoreUse& use) {
  OrderedJson models = OrderedJson::object();
  for (const auto& [model, bytes] : use.model_bytes) models[model] = megabytes(bytes);
  return {{"total_mb", megabytes(use.total_bytes)},
          {"models_mb", std::move(models)},
          {"entries", use.entries},
          {"automatic_mb", megabytes(use.automatic_bytes)},
          {"automatic_entries", use.automatic_entries},
          {"automatic_written_today_mb", megabytes(use.automatic_bytes_written_today)},
          {"free_mb", limit_mb(use.free_bytes)}};
}

OrderedJson speed(double per_second) { return per_second > 0 ? OrderedJson(tenths(per_second)) : OrderedJson(nullptr); }

OrderedJson model_json(const CacheStats::Model& model) {
  const EngineFigures& figures = model.figures;
  return {{"prefill_tokens_per_second", speed(figures.prefill_tokens_per_s)},
          {"restore_mb_per_second", speed(figures.restore_bytes_per_s / 1048576)},
          {"break_even_tokens", model.break_even_tokens ? OrderedJson(*model.break_even_tokens) : OrderedJson(nullptr)},
          {"resident_prefixes", figures.resident_prefixes},
          {"memory_prefixes", figures.memory_prefixes},
          {"memory_mb", megabytes(figures.memory_bytes)}};
}

}  // namespace

OrderedJson cache_stats_json(const CacheStats& stats) {
  OrderedJson models = OrderedJson::object();
  for (const auto& [name, model] : stats.models) models[name] = model_json(model);
  return {{"budget", budget_json(stats.use.limits)}, {"use", use_json(stats.use)}, {"models", std::move(models)}};
}

}  // namespace rockllama::api
