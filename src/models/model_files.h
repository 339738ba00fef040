// Which file of a model's folder serves. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
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

// What a file name says with "ctx4096" of the context that a model was converted for, tokens; 0 = nothing.
[[nodiscard]] uint32_t context_in_name(std::string_view file);

// The adapter that `wanted` names, with or without its ending, of `names` in name order; where `wanted` is empty, the
// only adapter there. kNotFound where it is not there; empty where there is none, or several and none is wanted.
[[nodiscard]] Result<std::string> choose_adapter(const std::vector<std::string>& names, const std::string& wanted);

}  // namespace rockllama
