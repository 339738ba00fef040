// Why a model cannot be loaded, or serves no more.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace rockllama {

struct ModelFailure {
  Error error{};
  bool crashed = false;            // again and again: it is left alone until somebody asks for it, or its file changes
  std::vector<std::string> log{};  // the last lines that its worker printed
};

}  // namespace rockllama
