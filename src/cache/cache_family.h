// Which caches continue which, within one model. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rockllama {

inline constexpr size_t kMostAncestors = 8;

struct Kin {
  std::string parent;  // empty = none
  double expires_at = 0;
};
using Family = std::map<std::string, Kin>;  // by name

// The caches that continue `name`, directly or not; each behind those that continue it.
[[nodiscard]] std::vector<std::string> descendants_of(const Family& family, const std::string& name);
// Those that do so directly, in name order.
[[nodiscard]] std::vector<std::string> children_of(const Family& family, const std::string& name);
// Whether the time of `name` is over, and that of all that continue it.
[[nodiscard]] bool is_over(const Family& family, const std::string& name, double now);

[[nodiscard]] inline bool has_expired(double expires_at, double now) { return expires_at != 0 && expires_at <= now; }

}  // namespace rockllama
