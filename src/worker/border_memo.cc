#include "worker/border_memo.h"

#include <algorithm>
#include <utility>

namespace rockllama {

Result<std::shared_ptr<const LineBorder>> BorderMemo::get(StateFormat format, const CacheLine& line, int day,
                                                          const std::function<Result<LineBorder>()>& find) {
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.format == format && entry.day == day && entry.line == line;
  });
  if (known != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, known);
    return known->border;
  }
  Result<LineBorder> border = find();
  if (!border) return fail(border.error());
  entries_.push_front({format, line, day, std::make_shared<const LineBorder>(std::move(*border))});
  if (entries_.size() > capacity_) entries_.pop_back();
  return entries_.front().border;
}

}  // namespace rockllama
