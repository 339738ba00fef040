#include "http/request_id.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>

namespace rockllama::http {

std::string make_request_id() {
  static std::atomic<uint64_t> counter{std::random_device{}() | uint64_t{std::random_device{}()} << 32};
  // A splitmix step: ids of one process do not repeat and do not look alike.
  uint64_t x = counter.fetch_add(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  char text[32];
  std::snprintf(text, sizeof text, "req-%016llx", static_cast<unsigned long long>(x ^ (x >> 31)));
  return text;
}

bool usable_as_id(std::string_view id) {
  if (id.empty() || id.size() > 128) return false;
  return id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") == id.npos;
}

}  // namespace rockllama::http
