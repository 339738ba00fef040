#include "engines/rkllm/rkllm_model.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "domain/runtime_log.h"
#include "engines/rkllm/runtime_sampling.h"

namespace rockllama::rkllm {
namespace {

constexpr size_t kLogLines = 64;
// Of a model whose file does not say what it was converted for.
constexpr uint32_t kUsualContext = 4096;
constexpr const char* kAdapter = "adapter";

// A mask of other cores than this machine has would leave the runtime none.
uint32_t existing_cpus(uint32_t mask) {
  const long count = ::sysconf(_SC_NPROCESSORS_CONF);
  return count >= 32 ? mask : mask & ((1u << std::max(count, 1L)) - 1);
}

RuntimeOptions options_of(const ModelSpec& spec, uint32_t context_tokens, LogTap* log) {
  const RkllmSettings& settings = spec.rkllm;
  RuntimeOptions options;
  options.model_path = spec.file;
  options.max_context_len = static_cast<int32_t>(context_tokens);
  // The most that a request can get; each ends its run where it has enough.
  options.max_new_tokens = static_cast<int32_t>(context_tokens);
  options.sampling = as_runtime_takes(spec.sampling_defaults);
  options.n_keep = settings.n_keep;
  options.skip_special_token = settings.skip_special_token;
  options.base_domain_id = static_cast<int32_t>(settings.base_domain_id);
  options.embed_flash = settings.embed_flash;
  options.n_batch = static_cast<int32_t>(settings.n_batch);
  const uint32_t cpus = existing_cpus(settings.enabled_cpus_mask);
  if (cpus != 0) options.enabled_cpus_mask = cpus;
  if (settings.enabled_cpus_num != 0) options.enabled_cpus_num = static_cast<int32_t>(settings.enabled_cpus_num);
  options.log = log;
  return options;
}

// Where nothing says how much context is wanted, what the model allows is enough.
Result<std::unique_ptr<Runtime>> init(const ModelSpec& spec, const std::shared_ptr<const Library>& library, LogTap* log,
                                      uint32_t* context_tokens) {
  *context_tokens = spec.context_tokens == 0 ? kUsualContext : spec.context_tokens;
  auto runtime = Runtime::init(library, options_of(spec, *context_tokens, log));
  const bool too_wide = !runtime && runtime.error().param == "max_context_len";
  const auto refusal = too_wide ? context_refusal(log->lines()) : std::nullopt;
  if (spec.context_tokens != 0 || !refusal || refusal->limit <= 0) return runtime;
  *context_tokens = static_cast<uint32_t>(refusal->limit);
  return Runtime::init(library, options_of(spec, *context_tokens, log));
}

Result<std::string> hash_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kIo, "The LoRA adapter cannot be read.");
  Hasher hasher;
  std::array<char, 65536> piece;
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    hasher.update({piece.data(), static_cast<size_t>(file.gcount())});
  }
  return to_hex(hasher.digest());
}

Status load_lora(const ModelSpec& spec, RkllmModel* model) {
  const std::string& path = spec.rkllm.lora_file;
  if (path.empty()) return {};
  auto hash = hash_of_file(path);
  if (!hash) return fail(hash.error());
  if (Status loaded = model->runtime->load_lora(path, kAdapter, spec.rkllm.lora_scale); !loaded) return loaded;
  model->lora_adapter = kAdapter;
  model->lora_hash = std::move(*hash);
  return {};
}

// Tokens that the runtime prefills for a text; nothing where it does not say.
std::optional<int32_t> prefill_count(Runtime* runtime, const std::string& text) {
  const auto result = runtime->run({.input = text}, {.on_piece = [](const Piece&) { return false; }});
  return result && result->perf ? std::optional(result->perf->prefill_tokens) : std::nullopt;
}

// Whether a special token in a text costs no more than a letter does.
std::optional<bool> parses_special(Runtime* runtime, const std::string& special) {
  if (special.empty() || !runtime->features().perf) return std::nullopt;
  const auto letter = prefill_count(runtime, "a");
  const auto token = prefill_count(runtime, special);
  return letter && token && *letter > 0 ? std::optional(*token == *letter) : std::nullopt;
}

Result<PromptChoice> choose(const ModelSpec& spec, const PromptSources& sources, Runtime* runtime) {
  PromptFacts facts{.wanted = spec.rkllm.prompt_mode,
                    .has_tokenizer = sources.has_tokenizer,
                    .has_template = sources.has_template,
                    .runtime_template = runtime->features().chat_template};
  if (facts.wanted.empty() && !facts.has_tokenizer && facts.has_template && facts.runtime_template) {
    facts.parses_special = parses_special(runtime, special_token_in(sources.template_source));
  }
  return choose_prompt_mode(facts);
}

}  // namespace

Result<RkllmModel> load_rkllm_model(const ModelSpec& spec, const PromptSources& sources) {
  if (spec.rkllm.n_batch != 1) {
    return fail(ErrorCode::kInvalidArgument, "hardware.n_batch is " + std::to_string(spec.rkllm.n_batch) +
                                                 ", but has to be 1: requests run one after the other.");
  }
  auto library = Library::open({.path = spec.rkllm.library, .forced_version = spec.rkllm.version});
  if (!library) return fail(library.error());
  auto log = LogTap::start(kLogLines);
  if (!log) return fail(log.error());
  RkllmModel model{.log = std::move(*log), .runtime = nullptr, .prompt = {}};
  auto runtime = init(spec, *library, model.log.get(), &model.context_tokens);
  if (!runtime) return fail(runtime.error());
  model.runtime = std::move(*runtime);
  if (Status lora = load_lora(spec, &model); !lora) return fail(lora.error());
  auto choice = choose(spec, sources, model.runtime.get());
  if (!choice) return fail(choice.error());
  model.prompt = std::move(*choice);
  // A rendered prompt holds all that a template writes.
  if (model.prompt.mode == PromptMode::kRendered && model.runtime->features().chat_template) {
    if (Status emptied = model.runtime->set_chat_template("", "", ""); !emptied) return fail(emptied.error());
  }
  return model;
}

LoadedModel describe(const RkllmModel& model, const ModelSpec& spec) {
  const Features features = model.runtime->features();
  const std::string version = "rkllm " + model.runtime->library().version;
  const std::string mode = to_string(model.prompt.mode);
  LoadedModel described;
  described.capabilities = {.max_parallel = 1,
                            .token_counts = model.prompt.mode == PromptMode::kTokens,
                            .per_request_sampling = features.sampling_per_run,
                            .state_save = true};
  described.context_tokens = model.context_tokens;
  described.trained_context_tokens = model.context_tokens;
  described.engine_version = version;
  described.engine_fingerprint = version + " context=" + std::to_string(model.context_tokens) + " prompt=" + mode;
  if (!model.lora_hash.empty()) {
    described.engine_fingerprint += " lora=" + model.lora_hash + "*" + std::to_string(spec.rkllm.lora_scale);
  }
  described.prompt_mode = mode;
  described.prompt_mode_reason = model.prompt.reason;
  described.ignored_sampling = ignored_sampling(features);
  return described;
}

}  // namespace rockllama::rkllm
