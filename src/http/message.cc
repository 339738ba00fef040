#include "http/message.h"

namespace rockllama::http {
namespace {

std::string_view find(const std::vector<std::pair<std::string, std::string>>& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const { return find(headers, lower_case_name); }
std::string_view Request::query_value(std::string_view name) const { return find(query, name); }
std::string_view Request::path_value(std::string_view name) const { return find(path_values, name); }

}  // namespace rockllama::http
