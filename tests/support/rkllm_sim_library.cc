#include "tests/support/rkllm_sim_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace rockllama {
namespace {

constexpr uint32_t kRunNormal = 0;
constexpr uint32_t kRunFinish = 2;

nlohmann::json load_facts(const std::string& version) {
  const nlohmann::json abi = nlohmann::json::parse(std::ifstream(ROCKLLAMA_SOURCE_DIR "/tools/rkllm/abi.json"));
  return abi["versions"][abi["same_as"].value(version, version)];
}

// createDefaultParam returns a struct of a size that only the library knows: through a hidden pointer.
struct LargeStruct {
  char bytes[1024];
};

}  // namespace

AbiStruct::AbiStruct(const nlohmann::json& version, const std::string& name) : AbiStruct(version, name, nullptr) {
  own_.resize(size_);
}

AbiStruct::AbiStruct(const nlohmann::json& version, const std::string& name, void* memory)
    : fields_(&version.at("structs").at(name).at("fields")),
      size_(version["structs"][name]["size"].get<size_t>()),
      memory_(memory) {}

const nlohmann::json* AbiStruct::facts_of(const std::string& field) const {
  for (const nlohmann::json& facts : *fields_) {
    if (facts["name"] == field) return &facts;
  }
  return nullptr;
}

RkllmSimLibrary::RkllmSimLibrary(std::string version)
    : facts_(load_facts(version)), library_(dlopen(file(version).c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (!library_) throw std::runtime_error(dlerror());
}

RkllmSimLibrary::~RkllmSimLibrary() {
  if (handle_) call("rkllm_destroy", handle_);
}

std::string RkllmSimLibrary::file(const std::string& version) {
  return std::string(RKLLM_SIM_FOLDER "/") + version + "/librkllmrt.so";
}

void* RkllmSimLibrary::symbol(const std::string& name) const { return dlsym(library_, name.c_str()); }

int RkllmSimLibrary::init(const SimOptions& options) {
  LargeStruct memory = reinterpret_cast<LargeStruct (*)()>(symbol("rkllm_createDefaultParam"))();
  AbiStruct param(facts_, "RKLLMParam", &memory);
  param.set("model_path", std::getenv("ROCKLLAMA_TEST_MODEL"));
  param.set("max_context_len", options.context);
  param.set("max_new_tokens", options.max_new_tokens);
  param.set("top_k", 1);
  param.set("extend_param.n_batch", static_cast<uint8_t>(options.n_batch));
  for (const char* tag : {"img_start", "img_end", "img_content"}) param.set(tag, options.tags ? "" : nullptr);
  if (facts_["structs"].contains("RKLLMCallback")) {
    AbiStruct callbacks(facts_, "RKLLMCallback");
    callbacks.set("result_callback", &RkllmSimLibrary::callback);
    callbacks.set("result_userdata", this);
    return call("rkllm_init", &handle_, param.data(), callbacks.data());
  }
  return call("rkllm_init", &handle_, param.data(), &RkllmSimLibrary::callback);
}

SimRun RkllmSimLibrary::run(const SimInput& input) {
  AbiStruct what(facts_, "RKLLMInput");
  what.set("input_type", input.tokens.empty() ? 0 : 1);
  what.set("prompt_input", input.text.c_str());
  if (!input.tokens.empty()) {
    what.set("token_input.input_ids", input.tokens.data());
    what.set("token_input.n_tokens", input.tokens.size());
  }
  AbiStruct cache(facts_, "RKLLMPromptCacheParam");
  cache.set("save_prompt_cache", 1);
  cache.set("prompt_cache_path", input.save.c_str());
  AbiStruct infer(facts_, "RKLLMInferParam");
  infer.set("mode", input.mode);
  if (!input.save.empty()) infer.set("prompt_cache_params", cache.data());
  infer.set("keep_history", static_cast<int>(input.keep_history));
  infer.set("max_new_tokens", input.max_new_tokens);
  std::vector<char> sampling(64);  // zero is greedy
  if (input.greedy) infer.set("sampling_params", sampling.data());
  SimRun run;
  SimRun* outer = std::exchange(run_, &run);
  run.result = call("rkllm_run", handle_, what.data(), infer.data(), static_cast<void*>(this));
  run_ = outer;
  return run;
}

int RkllmSimLibrary::callback(void* result, void* userdata, uint32_t state) {
  auto* self = static_cast<RkllmSimLibrary*>(userdata);
  SimRun& run = *self->run_;
  AbiStruct output(self->facts_, "RKLLMResult", result);
  run.states.push_back(state);
  if (const auto* text = output.get<const char*>("text")) run.text += text;
  if (state == kRunNormal) run.tokens.push_back(output.get<int32_t>("token_id"));
  if (state == kRunFinish) run.prefill_tokens = output.get<int32_t>("perf.prefill_tokens");
  if (const auto* hidden = output.get<const float*>("last_hidden_layer.hidden_states")) {
    run.hidden_rows = output.get<int32_t>("last_hidden_layer.num_tokens");
    const auto width = output.get<int32_t>("last_hidden_layer.embd_size");
    run.hidden.assign(hidden, hidden + static_cast<ptrdiff_t>(run.hidden_rows) * width);
  }
  return self->on_callback();
}

}  // namespace rockllama
