// Which file of a model's folder serves. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/model.h"

namespace rockllama {

struct ModelFile {
  std::string name;
  EngineKind engine = EngineKind::kLlamaCpp;
  std::vector<std::string> others{};  // files of the same kind that do not serve
};

// `names` in name order. A .rkllm wins over a .gguf, the first of a kind serves, tokenizer.gguf is never a model;
// *.script only with `allow_scripted`. Nothing where no file is a model.
[[nodiscard]] std::optional<ModelFile> choose_model_file(const std::vector<std::string>& names, bool allow_scripted);

}  // namespace rockllama
