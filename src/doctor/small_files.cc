#include "doctor/small_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace rockllama::doctor {

std::optional<std::string> read_start(const std::string& path, size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return std::nullopt;
  std::string text(limit, '\0');
  file.read(text.data(), static_cast<std::streamsize>(limit));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

std::string read_line(const std::string& path) {
  const std::string text = read_start(path).value_or("");
  return std::string(trimmed(std::string_view(text).substr(0, text.find('\n'))));
}

uint64_t read_number(const std::string& path) { return leading_number(read_line(path)); }

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
    names.push_back(item->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace{" \t\r\n\0", 5};
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

uint64_t leading_number(std::string_view text) {
  text = trimmed(text);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace rockllama::doctor
