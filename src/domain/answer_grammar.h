// A grammar that the tokens of an answer have to follow. Plain values.
#pragma once

#include <string>
#include <vector>

namespace rockllama {

// What a lazy grammar waits for.
struct GrammarTrigger {
  std::string value;        // a text, or a regular expression
  bool is_pattern = false;  // whose first group is where the grammar begins
};

struct AnswerGrammar {
  std::string rules;  // GBNF with a rule `root`; empty = any text
  bool lazy = false;  // holds from a trigger on; until then any text
  std::vector<GrammarTrigger> triggers{};
  std::string begun{};  // the end of the prompt that the rules begin with; not of a lazy grammar
  // Between these a lazy grammar waits; empty = there is no reasoning.
  std::string reasoning_start{};
  std::vector<std::string> reasoning_ends{};
  std::string prompt_end{};  // what stands before the answer: it may have begun to reason
};

}  // namespace rockllama
