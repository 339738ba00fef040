#include "cli/event_reader.h"

namespace rockllama {
namespace {

constexpr size_t kLargestLine = size_t{16} << 20;

}  // namespace

bool EventReader::take(std::string_view piece) {
  for (size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    line_ += piece.substr(0, end);
    piece.remove_prefix(end + 1);
    end_line();
  }
  line_ += piece;
  return line_.size() + plain_.size() <= kLargestLine;
}

void EventReader::end_line() {
  constexpr std::string_view kData = "data: ";
  if (line_.ends_with('\r')) line_.pop_back();
  if (line_.starts_with(kData)) {
    const std::string data = line_.substr(kData.size());
    if (data != "[DONE]") on_data_(data);
  } else if (!line_.empty() && !line_.starts_with(':')) {
    plain_ += line_ + "\n";
  }
  line_.clear();
}

}  // namespace rockllama
