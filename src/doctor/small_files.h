// Files of /proc and /sys: short, made as they are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockllama::doctor {

// The beginning of a file; nothing where it cannot be read.
[[nodiscard]] std::optional<std::string> read_start(const std::string& path, size_t limit = 64 << 10);
// The first line without the space around it; empty where there is none.
[[nodiscard]] std::string read_line(const std::string& path);
// The number that a file consists of; 0 where it is none.
[[nodiscard]] uint64_t read_number(const std::string& path);
// Names in a folder, in order; none where there is no such folder.
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);
[[nodiscard]] bool exists(const std::string& path);

[[nodiscard]] std::string_view trimmed(std::string_view text);
// The number that a text begins with, after space; 0 where it begins with none.
[[nodiscard]] uint64_t leading_number(std::string_view text);

}  // namespace rockllama::doctor
