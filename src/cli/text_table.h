// Text for people at a terminal: tables, sizes, ages. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rockllama {

struct Column {
  std::string title;
  bool right = false;  // numbers
};

// A line of titles and one for each row, columns two spaces apart. Control characters become '?'.
[[nodiscard]] std::string text_table(const std::vector<Column>& columns,
                                     const std::vector<std::vector<std::string>>& rows);
// Name and value, one pair on a line.
[[nodiscard]] std::string text_list(const std::vector<std::vector<std::string>>& pairs);

// "now", "3 min", "2 h", "5 d".
[[nodiscard]] std::string duration_text(double seconds);
// "7.72 MB" of 1048576 bytes.
[[nodiscard]] std::string size_text(double megabytes);
// "[#####.....]  50 %  label", at most `columns` wide; `total` 0 = not known.
[[nodiscard]] std::string progress_text(const std::string& label, double done, double total, int columns);

}  // namespace rockllama
