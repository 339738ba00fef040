#include "engines/llama_cpp/grammar_sampler.h"

#include <reasoning-budget.h>

#include <cmath>
#include <exception>
#include <limits>
#include <regex>
#include <string>
#include <utility>

namespace rockllama {
namespace {

constexpr const char* kRoot = "root";

std::string as_pattern(const GrammarTrigger& trigger) {
  static const std::regex kSpecial(R"([.^$|()*+?\[\]{}\\])");
  return trigger.is_pattern ? trigger.value : "(" + std::regex_replace(trigger.value, kSpecial, R"(\$&)") + ")";
}

llama_sampler* make_lazy(const AnswerGrammar& grammar, const Vocabulary& vocabulary) {
  std::vector<std::string> patterns;
  std::vector<llama_token> tokens;
  for (const GrammarTrigger& trigger : grammar.triggers) {
    const auto ids = trigger.is_pattern ? std::vector<int32_t>() : vocabulary.tokens_of(trigger.value);
    if (ids.size() == 1) {
      tokens.push_back(ids.front());
    } else {
      patterns.push_back(as_pattern(trigger));
    }
  }
  std::vector<const char*> texts;
  texts.reserve(patterns.size());
  for (const std::string& pattern : patterns) texts.push_back(pattern.c_str());
  return llama_sampler_init_grammar_lazy_patterns(vocabulary.vocab(), grammar.rules.c_str(), kRoot, texts.data(),
                                                  texts.size(), tokens.data(), tokens.size());
}

bool begins_with_space(const std::string& text) {
  return !text.empty() && (text.front() == ' ' || text.front() == '\n');
}

}  // namespace

Result<GrammarSampler> GrammarSampler::create(const AnswerGrammar& grammar, const Vocabulary& vocabulary) try {
  GrammarSampler sampler;
  sampler.grammar_.reset(grammar.lazy ? make_lazy(grammar, vocabulary)
                                      : llama_sampler_init_grammar(vocabulary.vocab(), grammar.rules.c_str(), kRoot));
  if (!sampler.grammar_) {
    return fail(ErrorCode::kInvalidArgument, "llama.cpp cannot follow the grammar of this schema or these tools.");
  }
  bool first = true;
  for (const int32_t token : vocabulary.tokens_of(grammar.begun)) {
    // Some tokenizers put a space before a text.
    const bool added =
        std::exchange(first, false) && begins_with_space(vocabulary.name(token)) && !begins_with_space(grammar.begun);
    if (added) continue;
    // llama.cpp would end the process for some.
    if (!sampler.allows(token)) return fail(ErrorCode::kInternal, "The grammar does not begin like the prompt ends.");
    llama_sampler_accept(sampler.grammar_.get(), token);
  }
  if (grammar.lazy) sampler.watch_reasoning(grammar, vocabulary);
  return sampler;
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("llama.cpp cannot follow the grammar: ") + error.what());
}

// llama.cpp's limiter of reasoning knows where it begins and ends; nothing is limited here.
void GrammarSampler::watch_reasoning(const AnswerGrammar& grammar, const Vocabulary& vocabulary) {
  if (grammar.reasoning_start.empty() || grammar.reasoning_ends.empty()) return;
  std::vector<llama_tokens> ends;
  for (const std::string& end : grammar.reasoning_ends) ends.push_back(vocabulary.tokens_of(end));
  reasoning_.reset(common_reasoning_budget_init(vocabulary.vocab(), {vocabulary.tokens_of(grammar.reasoning_start)},
                                                ends, ends.front(), std::numeric_limits<int32_t>::max()));
  for (const int32_t token : vocabulary.tokens_of(grammar.prompt_end)) llama_sampler_accept(reasoning_.get(), token);
}

bool GrammarSampler::holds() const {
  if (!reasoning_) return true;
  const auto state = common_reasoning_budget_get_state(reasoning_.get());
  return state == REASONING_BUDGET_IDLE || state == REASONING_BUDGET_DONE;
}

bool GrammarSampler::allows(int32_t token) const {
  llama_token_data data{token, 1, 0};
  llama_token_data_array one{&data, 1, -1, false};
  apply(&one);
  return !std::isinf(data.logit);
}

void GrammarSampler::apply(llama_token_data_array* candidates) const {
  if (holds()) llama_sampler_apply(grammar_.get(), candidates);
}

Status GrammarSampler::accept(int32_t token) try {
  const bool held = holds();
  if (reasoning_) llama_sampler_accept(reasoning_.get(), token);
  if (held) {
    llama_sampler_accept(grammar_.get(), token);
  } else if (holds()) {
    replay_end_of_reasoning();
  }
  return {};
} catch (const std::exception& error) {
  return fail(ErrorCode::kInternal, std::string("The answer left its grammar: ") + error.what());
}

// What ends the reasoning may be what the grammar waits for.
void GrammarSampler::replay_end_of_reasoning() {
  const llama_tokens* end = common_reasoning_budget_get_end_match(reasoning_.get());
  if (end == nullptr) return;
  for (const llama_token token : *end) llama_sampler_accept(grammar_.get(), token);
}

}  // namespace rockllama
