#include "cli/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/characters.h"
#include "base/one_line.h"

namespace rockllama {
namespace {

constexpr int kBarColumns = 30;

// Columns on a terminal, as far as one character is one column.
size_t width_of(const std::string& text) { return count_characters(text); }

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

void append_line(std::string* text, const std::vector<Column>& columns, const std::vector<std::string>& cells,
                 const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    line += (i == 0 ? "" : "  ") + padded(one_line(i < cells.size() ? cells[i] : ""), widths[i], columns[i].right);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  *text += line + "\n";
}

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string text_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns) {
    titles.push_back(column.title);
    widths.push_back(width_of(column.title));
  }
  for (const auto& row : rows) {
    for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], width_of(one_line(row[i])));
    }
  }
  std::string text;
  append_line(&text, columns, titles, widths);
  for (const auto& row : rows) append_line(&text, columns, row, widths);
  return text;
}

std::string text_list(const std::vector<std::vector<std::string>>& pairs) {
  size_t width = 0;
  for (const auto& pair : pairs) width = std::max(width, width_of(pair.front()));
  std::string text;
  for (const auto& pair : pairs) append_line(&text, {{"", false}, {"", false}}, pair, {width, 0});
  return text;
}

std::string duration_text(double seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return formatted("%.0f min", std::floor(seconds / 60));
  if (seconds < 2 * 86400.0) return formatted("%.0f h", std::floor(seconds / 3600));
  return formatted("%.0f d", std::floor(seconds / 86400));
}

std::string size_text(double megabytes) { return formatted("%.2f MB", megabytes); }

std::string progress_text(const std::string& label, double done, double total, int columns) {
  const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0;
  std::string text = one_line(label);
  if (total > 0 && columns > 2 * kBarColumns) {
    const auto filled = static_cast<size_t>(std::lround(share * kBarColumns));
    text = "[" + std::string(filled, '#') + std::string(kBarColumns - filled, '.') + "]" +
           formatted(" %3.0f %%  ", std::floor(share * 100)) + text;
  } else if (total > 0) {
    text = formatted("%3.0f %%  ", std::floor(share * 100)) + text;
  }
  return text.substr(0, static_cast<size_t>(std::max(columns - 1, 1)));
}

}  // namespace rockllama
