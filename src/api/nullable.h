// What is not there, as responses show it.
#pragma once

#include <string>

#include "api/json_text.h"

namespace rockllama::api {

[[nodiscard]] inline OrderedJson text_or_null(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

}  // namespace rockllama::api
