// The borders of lines that were just asked for: finding one costs several renderings. Owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// The border of a cache's line, and how the prefix up to it is prefilled.
struct LineBorder {
  std::vector<int32_t> tokens;
  std::vector<uint32_t> cuts;  // at the borders of what it continues, fixed blocks between
  std::string note{};          // for people
};

class BorderMemo {
 public:
  explicit BorderMemo(size_t capacity) : capacity_(capacity) {}

  // The border of `line` in the rendering `format`, from the memo or from `find`, whose failures are not kept. An entry
  // of another `day` does not count: templates may print the date.
  [[nodiscard]] Result<std::shared_ptr<const LineBorder>> get(StateFormat format, const CacheLine& line, int day,
                                                              const std::function<Result<LineBorder>()>& find);

 private:
  struct Entry {
    StateFormat format;
    CacheLine line;
    int day;
    std::shared_ptr<const LineBorder> border;
  };

  size_t capacity_;
  std::list<Entry> entries_;  // the latest first
};

}  // namespace rockllama
