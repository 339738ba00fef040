// The chat template of a model (Jinja), over llama.cpp's `common`. One thread at a time may use an instance.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "domain/generation.h"

struct llama_model;

namespace rockllama {

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
  // Whether two leading system messages are rendered one after the other, both whole. Else they must be one.
  [[nodiscard]] bool takes_many_system_messages() const { return takes_many_system_messages_; }
  // Whether tools are rendered. Else they are left out without a word.
  [[nodiscard]] bool takes_tools() const { return takes_tools_; }

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  bool takes_many_system_messages_ = false;
  bool takes_tools_ = false;
};

}  // namespace rockllama
