#include "http/target.h"

#include <algorithm>

namespace rockllama::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode_query(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

std::string_view without_authority(std::string_view target) {
  if (target.empty() || target.front() == '/') return target;
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return target;
  const auto path_begin = target.find_first_of("/?", scheme_end + 3);
  return path_begin == std::string_view::npos ? std::string_view{} : target.substr(path_begin);
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> result;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto part = query.substr(0, end);
    const auto equals = std::min(part.find('='), part.size());
    if (!part.empty()) {
      const auto value = equals < part.size() ? part.substr(equals + 1) : std::string_view{};
      result.emplace_back(decode_query(part.substr(0, equals)), decode_query(value));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return result;
}

}  // namespace

Target parse_target(std::string_view target) {
  target = without_authority(target.substr(0, target.find('#')));
  const auto question = std::min(target.find('?'), target.size());
  Target result{std::string(target.substr(0, question))};
  if (result.path.empty()) result.path = "/";
  if (question < target.size()) result.query = parse_query(target.substr(question + 1));
  return result;
}

std::string percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      result += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace rockllama::http
