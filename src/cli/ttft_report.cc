#include "cli/ttft_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace rockllama {
namespace {

using nlohmann::ordered_json;

double ratio(const std::vector<double>& cold, const std::vector<double>& warm) {
  const double divisor = median(warm);
  return divisor > 0 ? median(cold) / divisor : 0;
}

ordered_json series(const std::vector<double>& values) {
  return {{"median_ms", median(values)}, {"rounds_ms", values}};
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string ttft_table(const std::string& model, const std::vector<TtftRounds>& lengths) {
  const size_t rounds = lengths.empty() ? 0 : lengths.front().cold.size();
  std::string table = "Time to the first token, " + model + ", medians of " + std::to_string(rounds) + " rounds\n\n" +
                      "| prompt tokens | cached: times sooner | after a restart: times sooner | cold ms | cached ms | "
                      "cached again ms | after a restart ms |\n|---|---|---|---|---|---|---|\n";
  for (const TtftRounds& length : lengths) {
    char row[256];
    std::snprintf(row, sizeof row, "| %u | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |\n", length.prompt_tokens,
                  ratio(length.cold, length.cached), ratio(length.cold, length.restarted), median(length.cold),
                  median(length.cached), median(length.again), median(length.restarted));
    table += row;
  }
  if (std::any_of(lengths.begin(), lengths.end(), [](const auto& length) { return length.unverified; })) {
    table += "\nThe runtime reports no prefill count: that the states were reused shows in the times alone.\n";
  }
  return table;
}

std::string ttft_json(const std::string& model, const std::vector<TtftRounds>& lengths) {
  ordered_json rows = ordered_json::array();
  for (const TtftRounds& length : lengths) {
    rows.push_back({{"prompt_tokens", length.prompt_tokens},
                    {"reuse_verified", !length.unverified},
                    {"cached_times_sooner", ratio(length.cold, length.cached)},
                    {"restarted_times_sooner", ratio(length.cold, length.restarted)},
                    {"cold", series(length.cold)},
                    {"cached", series(length.cached)},
                    {"again", series(length.again)},
                    {"restarted", series(length.restarted)}});
  }
  return ordered_json{{"benchmark", "ttft"}, {"model", model}, {"prompts", std::move(rows)}}.dump(2) + "\n";
}

}  // namespace rockllama
