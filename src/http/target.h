// The parts of a request target ("/v1/cache/m%40x?binary_only=true"). Pure; takes any bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockllama::http {

struct Target {
  std::string path;                                          // undecoded; "/" where the target has none
  std::vector<std::pair<std::string, std::string>> query{};  // decoded; a name without "=" has the value ""
};

// Takes the absolute form ("http://host/path") too.
[[nodiscard]] Target parse_target(std::string_view target);

// An escape that is not two hexadecimal digits stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text);

}  // namespace rockllama::http
