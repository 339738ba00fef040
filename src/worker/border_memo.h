// The borders of texts that were just asked for: finding one costs several renderings. Owned by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "base/result.h"
#include "chat/border.h"
#include "domain/prompt_cache.h"

namespace rockllama {

class BorderMemo {
 public:
  explicit BorderMemo(size_t capacity) : capacity_(capacity) {}

  // The border of `text` in the rendering `format`, from the memo or from `find`, whose failures are not kept. An entry
  // of another `day` does not count: templates may print the date.
  [[nodiscard]] Result<std::shared_ptr<const Border>> get(StateFormat format, const std::string& text, int day,
                                                          const std::function<Result<Border>()>& find);

 private:
  struct Entry {
    StateFormat format;
    std::string text;
    int day;
    std::shared_ptr<const Border> border;
  };

  size_t capacity_;
  std::list<Entry> entries_;  // the latest first
};

}  // namespace rockllama
