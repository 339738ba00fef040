#include "rkllm_sim/prompt.h"

#include <algorithm>
#include <utility>

namespace rkllm_sim {
namespace {

// Stands for the client's text while the model's template is applied, so that what is around it can be told apart.
constexpr char kPlace[] = "@@rkllm-sim-text@@";
constexpr char kNoThoughts[] = "<think>\n\n</think>\n\n";

std::string apply(const std::string& chat_template, const std::vector<llama_chat_message>& messages, bool answer) {
  std::string text(4096, '\0');
  for (int tries = 0; tries < 2; ++tries) {
    const int32_t size = llama_chat_apply_template(chat_template.c_str(), messages.data(), messages.size(), answer,
                                                   text.data(), static_cast<int32_t>(text.size()));
    if (size < 0) return kPlace;  // a template that llama.cpp does not know: none
    const bool fits = static_cast<size_t>(size) <= text.size();
    text.resize(static_cast<size_t>(size));
    if (fits) break;
  }
  return text;
}

}  // namespace

void Prompt::set_template(std::string system, std::string prefix, std::string postfix) {
  overridden_ = true;
  system_ = std::move(system);
  prefix_ = std::move(prefix);
  postfix_ = std::move(postfix);
  response_tag_.clear();
}

bool Prompt::set_tools(const std::string& system, const std::string& tools, const std::string& response_tag) {
  if (overridden_ && prefix_.empty() && postfix_.empty()) return false;
  system_ = system + "\n\nYou may call these functions:\n" + tools;
  response_tag_ = response_tag;
  return true;
}

// System text, what stands before the client's text, that text, and what stands behind it.
std::vector<Prompt::Piece> Prompt::around(const Model& model, const Input& input, bool special) const {
  std::string text = input.text;
  if (input.role == "tool" && !response_tag_.empty()) text = response_tag_ + text;
  if (overridden_) return {{system_, true}, {prefix_, true}, {text, special}, {postfix_, true}};
  const std::string chat_template = model.chat_template();
  if (chat_template.empty()) return {{system_, true}, {"", true}, {text, special}, {"", true}};
  std::string system;
  if (!system_.empty()) system = apply(chat_template, {{"system", system_.c_str()}}, false);
  const std::string turn = apply(chat_template, {{input.role.c_str(), kPlace}}, true);
  const size_t place = turn.find(kPlace);
  if (place == std::string::npos) return {{system, true}, {"", true}, {text, special}, {"", true}};
  std::string behind = turn.substr(place + sizeof kPlace - 1);
  if (!input.enable_thinking && chat_template.find("enable_thinking") != std::string::npos) behind += kNoThoughts;
  return {{system, true}, {turn.substr(0, place), true}, {text, special}, {behind, true}};
}

PromptTokens Prompt::tokens(const Model& model, const Input& input, bool first, bool plain, bool special) const {
  if (plain) return {model.tokenize(input.text, first, special), 0};
  const std::vector<Piece> pieces = around(model, input, special);
  PromptTokens prompt;
  bool begin = first;
  for (size_t i = first ? 0 : 1; i < pieces.size(); ++i) {
    const auto tokens = model.tokenize(pieces[i].text, begin, pieces[i].special);
    begin = false;
    prompt.tokens.insert(prompt.tokens.end(), tokens.begin(), tokens.end());
    if (i == 0) prompt.system_tokens = static_cast<int32_t>(prompt.tokens.size());
  }
  return prompt;
}

}  // namespace rkllm_sim
