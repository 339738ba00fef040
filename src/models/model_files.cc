#include "models/model_files.h"

#include <string_view>

namespace rockllama {
namespace {

constexpr std::string_view kTokenizer = "tokenizer.gguf";

std::optional<ModelFile> first_of_kind(const std::vector<std::string>& names, std::string_view ending,
                                       EngineKind engine) {
  std::optional<ModelFile> file;
  for (const std::string& name : names) {
    if (!name.ends_with(ending) || name == kTokenizer) continue;
    if (file) {
      file->others.push_back(name);
    } else {
      file = ModelFile{name, engine};
    }
  }
  return file;
}

}  // namespace

std::optional<ModelFile> choose_model_file(const std::vector<std::string>& names, bool allow_scripted) {
  if (auto file = first_of_kind(names, ".rkllm", EngineKind::kRkllm)) return file;
  if (auto file = first_of_kind(names, ".gguf", EngineKind::kLlamaCpp)) return file;
  return allow_scripted ? first_of_kind(names, ".script", EngineKind::kScripted) : std::nullopt;
}

}  // namespace rockllama
