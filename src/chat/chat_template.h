// The chat template of a model (Jinja), over llama.cpp's `common`. One thread at a time may use an instance.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "chat/answer_parser.h"
#include "domain/answer_grammar.h"
#include "domain/generation.h"

struct llama_model;

namespace rockllama {

// A prompt, and how its answer is written and read.
struct RenderedChat {
  std::string text{};
  AnswerGrammar grammar{};                       // without rules where any text will do
  std::vector<std::string> preserved_tokens{};   // control tokens whose text belongs to the answer
  std::vector<std::string> stops{};              // texts that end the answer
  std::shared_ptr<const AnswerSyntax> syntax{};  // null: all of the answer is what is said
};

class ChatTemplate {
 public:
  // From `override` (Jinja source), or from the model where it is empty. `model` may be vocabulary-only or null; it
  // gives the texts of BOS and EOS, and is not kept. kUnsupported where there is no template at all, kInvalidArgument
  // where its source has a fault.
  [[nodiscard]] static Result<ChatTemplate> create(const llama_model* model, const std::string& override);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // Without the BOS that the tokenizer adds. kInvalidArgument with the template's own words where it refuses.
  [[nodiscard]] Result<std::string> render(const ChatPrompt& prompt, bool add_generation_prompt) const;
  // The same with a generation prompt, and what reading the answer takes where tools, a schema or reasoning are in it.
  // Also kInvalidArgument for a schema that no grammar can be made of, kUnsupported for a tool choice that the template
  // has no form for.
  [[nodiscard]] Result<RenderedChat> render_for_answer(const ChatPrompt& prompt) const;
  // Whether two leading system messages are rendered one after the other, both whole. Else they must be one.
  [[nodiscard]] bool takes_many_system_messages() const { return takes_many_system_messages_; }
  // Whether tools are rendered. Else they are left out without a word.
  [[nodiscard]] bool takes_tools() const { return takes_tools_; }

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  [[nodiscard]] bool may_reason() const;

  std::unique_ptr<Impl> impl_;
  bool takes_many_system_messages_ = false;
  bool takes_tools_ = false;
  bool reasons_ = false;         // answers may begin with reasoning
  bool parallel_calls_ = false;  // several tool calls in one answer
};

}  // namespace rockllama
