#include "cache/daily_writes.h"

#include <nlohmann/json.hpp>

#include "base/json_depth.h"
#include "cache/metadata_fields.h"

namespace rockllama {
namespace {

constexpr double kSecondsPerDay = 86400;

}  // namespace

DailyWrites on_day_of(double now, const DailyWrites& writes) {
  const auto today = static_cast<int64_t>(now / kSecondsPerDay);
  return writes.day == today ? writes : DailyWrites{today, 0};
}

std::string serialise_daily_writes(const DailyWrites& writes) {
  return nlohmann::json{{"day", writes.day}, {"bytes", writes.bytes}}.dump() + "\n";
}

DailyWrites parse_daily_writes(std::string_view text) {
  if (nested_too_deep(text)) return {};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  DailyWrites writes;
  if (!json.is_object() || !metadata_fields::get(json, "bytes", &writes.bytes)) return {};
  const nlohmann::json* day = metadata_fields::member(json, "day");
  if (day == nullptr || !day->is_number_integer()) return {};
  writes.day = day->get<int64_t>();
  return writes;
}

}  // namespace rockllama
