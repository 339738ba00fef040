// How many bytes of automatic states were written today: flash wears, so a day has a budget. The small file in which
// it is remembered over restarts. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rockllama {

struct DailyWrites {
  int64_t day = 0;  // of UTC, since 1970
  uint64_t bytes = 0;
  bool operator==(const DailyWrites&) const = default;
};

// `writes`, or nothing written yet where `now` (Unix seconds) is of another day.
[[nodiscard]] DailyWrites on_day_of(double now, const DailyWrites& writes);

[[nodiscard]] std::string serialise_daily_writes(const DailyWrites& writes);
// Nothing written for a text that is none: a damaged file costs a day's budget of writes at most.
[[nodiscard]] DailyWrites parse_daily_writes(std::string_view json);

}  // namespace rockllama
