#include "models/model_files.h"

#include <charconv>
#include <string_view>

namespace rockllama {
namespace {

constexpr std::string_view kTokenizer = "tokenizer.gguf";
constexpr std::string_view kContextMark = "ctx";
constexpr uint32_t kLargestContext = 1u << 20;

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

uint32_t context_in_name(std::string_view file) {
  for (size_t at = file.find(kContextMark); at != std::string_view::npos; at = file.find(kContextMark, at + 1)) {
    const std::string_view digits = file.substr(at + kContextMark.size());
    uint32_t tokens = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tokens);
    if (error == std::errc() && tokens > 0 && tokens <= kLargestContext) return tokens;
  }
  return 0;
}

Result<std::string> choose_adapter(const std::vector<std::string>& names, const std::string& wanted) {
  std::vector<std::string> adapters;
  for (const std::string& name : names) {
    if (name == wanted || (!wanted.empty() && name == wanted + ".rkllm")) return name;
    if (name.ends_with(".rkllm")) adapters.push_back(name);
  }
  if (!wanted.empty()) return fail(ErrorCode::kNotFound, "there is no adapter '" + wanted + "' in lora/");
  return adapters.size() == 1 ? adapters.front() : std::string();
}

}  // namespace rockllama
