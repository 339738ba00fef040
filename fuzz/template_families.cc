#include "template_families.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace rockllama {
namespace {

constexpr std::array<const char*, kFamilies> kNames = {"Qwen-Qwen2.5-7B-Instruct",
                                                       "Qwen-Qwen3-0.6B",
                                                       "meta-llama-Llama-3.1-8B-Instruct",
                                                       "mistralai-Mistral-Nemo-Instruct-2407",
                                                       "google-gemma-2-2b-it",
                                                       "microsoft-Phi-3.5-mini-instruct",
                                                       "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
                                                       "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
                                                       "ibm-granite-granite-3.3-2B-Instruct",
                                                       "HuggingFaceTB-SmolLM3-3B"};

std::unique_ptr<ChatTemplate> read_family(const std::string& name) {
  const std::ifstream file(std::string(ROCKLLAMA_VOCABULARIES) + "/templates/" + name + ".jinja");
  std::stringstream source;
  source << file.rdbuf();
  auto made = ChatTemplate::create(nullptr, source.str());
  if (!made) std::abort();
  return std::make_unique<ChatTemplate>(std::move(*made));
}

}  // namespace

const ChatTemplate& family_of(uint8_t byte) {
  static std::array<std::unique_ptr<ChatTemplate>, kFamilies> families;
  const size_t index = byte % kFamilies;
  if (!families[index]) families[index] = read_family(kNames[index]);
  return *families[index];
}

}  // namespace rockllama
