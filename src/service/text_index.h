// The caches of a model by their text, for engines without a tokenizer: a request that begins with the text of a cache
// finds it by itself. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "domain/generation.h"

namespace rockllama {

class TextIndex {
 public:
  void add(const std::string& name, StateFormat format, std::string_view text);
  // The cache whose text the request brings: as leading system message of a chat, or as the beginning of a raw prompt;
  // there the longest.
  [[nodiscard]] std::optional<std::string> find(const Prompt& prompt) const;

 private:
  struct Entry {
    Hash128 hash;
    std::string name;
  };
  using BySize = std::map<size_t, std::vector<Entry>, std::greater<>>;  // of the text, bytes
  [[nodiscard]] static std::optional<std::string> find(const BySize& texts, size_t size, std::string_view text);

  BySize chat_;
  BySize raw_;
};

}  // namespace rockllama
