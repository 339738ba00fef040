#include "models/model_registry.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "models/file_hash_memo.h"
#include "models/model_files.h"
#include "models/model_overrides.h"

namespace rockllama {
namespace {

constexpr uint64_t kLargestSettings = 1u << 20;
constexpr uint64_t kLargestTemplate = 4u << 20;
// A worker is given this many times what a block takes.
constexpr uint32_t kPatienceInBlocks = 10;

bool looks_like_model(const std::string& name) { return name.ends_with(".gguf") || name.ends_with(".rkllm"); }

std::string stem(const std::string& file) { return file.substr(0, file.rfind('.')); }

// The context that the file was converted for is a limit, so a wider setting of the server is lowered to it; model.json
// says otherwise where the name is wrong.
void limit_context(const std::string& file, ModelSpec* spec) {
  const uint32_t converted = context_in_name(file);
  if (converted != 0 && (spec->context_tokens == 0 || spec->context_tokens > converted)) {
    spec->context_tokens = converted;
  }
}

}  // namespace

struct ModelRegistry::Impl {
  Impl(FileSystem* the_files, const std::string& memo_file) : files(the_files), memo(the_files, memo_file) {}

  FileSystem* files;
  std::string folder;
  ModelSpec defaults;
  bool allow_scripted = false;
  FileHashMemo memo;
  std::mutex mutex;
  std::set<std::string> said;  // warnings that were given

  void warn_once(const std::string& warning) {
    const std::lock_guard lock(mutex);
    if (said.insert(warning).second) spdlog::warn("{}", warning);
  }

  std::vector<ModelEntry> scan();
  std::optional<ModelEntry> read_folder(const std::string& name);
  bool read_settings(const std::string& path, ModelEntry* entry);
  bool find_adapter(const std::string& adapters, ModelEntry* entry);
  void read_template(const std::string& path, ModelEntry* entry);
};

std::vector<ModelEntry> ModelRegistry::Impl::scan() {
  std::vector<ModelEntry> entries;
  const auto listed = files->list(folder);
  if (!listed) return entries;
  for (const FolderEntry& item : *listed) {
    if (item.info.is_folder) {
      if (auto entry = read_folder(item.name)) entries.push_back(std::move(*entry));
    } else if (looks_like_model(item.name)) {
      warn_once(item.name + " lies directly in the models folder and is not served; make a folder for it: " +
                stem(item.name) + "/" + item.name);
    }
  }
  return entries;
}

std::optional<ModelEntry> ModelRegistry::Impl::read_folder(const std::string& name) {
  const std::string path = folder + "/" + name;
  const auto listed = files->list(path);
  if (!listed || name.starts_with('.')) return std::nullopt;
  std::vector<std::string> names;
  for (const FolderEntry& item : *listed) {
    if (!item.info.is_folder) names.push_back(item.name);
  }
  const auto file = choose_model_file(names, allow_scripted);
  if (!file) return std::nullopt;
  if (name.find('@') != std::string::npos) {
    warn_once("model folder " + name + " is not served: its name must not contain '@'");
    return std::nullopt;
  }
  if (!file->others.empty()) {
    warn_once("model folder " + name + " holds several models; " + file->name + " serves, " + file->others.front() +
              " and what follows does not");
  }
  ModelEntry entry{.spec = defaults, .filename = file->name, .path = name + "/" + file->name};
  entry.spec.name = name;
  entry.spec.engine = file->engine;
  entry.spec.file = path + "/" + file->name;
  if (file->engine == EngineKind::kRkllm) limit_context(file->name, &entry.spec);
  for (const FolderEntry& item : *listed) {
    if (item.name == file->name) {
      entry.size_bytes = item.info.size;
      entry.modified_at = static_cast<double>(item.info.mtime_ns) / 1e9;
    }
    if (item.name == "tokenizer.gguf") entry.spec.tokenizer_file = path + "/tokenizer.gguf";
    if (item.name == "chat_template.jinja") read_template(path + "/chat_template.jinja", &entry);
    if (item.name == "model.json" && !read_settings(path + "/model.json", &entry)) return std::nullopt;
  }
  if (file->engine == EngineKind::kRkllm) {
    entry.spec.parallel = 1;  // one run at a time
    // A prompt is prefilled in one piece, so what the supervisor grants a block has to be enough for a full context.
    entry.spec.block_tokens = std::max(entry.spec.block_tokens, entry.spec.context_tokens / kPatienceInBlocks);
    if (!find_adapter(path + "/lora", &entry)) return std::nullopt;
  }
  return entry;
}

void ModelRegistry::Impl::read_template(const std::string& path, ModelEntry* entry) {
  const auto text = files->read(path, kLargestTemplate);
  if (text) {
    entry->spec.chat_template = *text;
  } else {
    warn_once("chat_template.jinja of model " + entry->spec.name + " is not used: " + text.error().message);
  }
}

bool ModelRegistry::Impl::read_settings(const std::string& path, ModelEntry* entry) {
  const auto text = files->read(path, kLargestSettings);
  const OverrideReport report = text ? apply_overrides(*text, entry) : OverrideReport{.errors = {text.error().message}};
  for (const std::string& warning : report.warnings) {
    warn_once("model.json of model " + entry->spec.name + ": " + warning);
  }
  for (const std::string& error : report.errors) {
    warn_once("model " + entry->spec.name + " is not served: model.json: " + error);
  }
  return report.errors.empty();
}

bool ModelRegistry::Impl::find_adapter(const std::string& adapters, ModelEntry* entry) {
  std::vector<std::string> names;
  if (const auto listed = files->list(adapters)) {
    for (const FolderEntry& item : *listed) names.push_back(item.name);
  }
  const auto adapter = choose_adapter(names, entry->lora);
  if (!adapter) {
    warn_once("model " + entry->spec.name + " is not served: model.json: rkllm.lora: " + adapter.error().message);
  } else if (!adapter->empty()) {
    entry->spec.rkllm.lora_file = adapters + "/" + *adapter;
  }
  return adapter.has_value();
}

ModelRegistry::ModelRegistry(FileSystem* files, std::string models_folder, const std::string& memo_file,
                             ModelSpec defaults, bool allow_scripted)
    : impl_(std::make_unique<Impl>(files, memo_file)) {
  impl_->folder = std::move(models_folder);
  impl_->defaults = std::move(defaults);
  impl_->allow_scripted = allow_scripted;
}

ModelRegistry::~ModelRegistry() = default;

std::vector<ModelEntry> ModelRegistry::scan() { return impl_->scan(); }

Result<ModelEntry> ModelRegistry::find(const std::string& name) {
  // Not a path: the name must be the one of a folder that a scan would show.
  const bool plain = !name.empty() && name.find('/') == std::string::npos && !name.starts_with('.') &&
                     name.find('\0') == std::string::npos;
  if (plain) {
    if (auto entry = impl_->read_folder(name)) return *entry;
  }
  std::string known;
  for (const ModelEntry& entry : scan()) known += (known.empty() ? "" : ", ") + entry.spec.name;
  return fail(ErrorCode::kModelNotFound,
              "there is no model '" + name + "'" + (known.empty() ? "" : "; there are: " + known), "model");
}

Result<FileInfo> ModelRegistry::file_info(const ModelEntry& entry) { return impl_->files->stat(entry.spec.file); }

Result<std::string> ModelRegistry::file_hash(const ModelEntry& entry) { return impl_->memo.hash(entry.spec.file); }

}  // namespace rockllama
