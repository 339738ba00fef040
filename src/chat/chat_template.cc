#include "chat/chat_template.h"

#include <chat.h>
#include <llama.h>
#include <log.h>

#include <exception>
#include <mutex>

namespace rockllama {
namespace {

constexpr char kInvalidTemplate[] = "The model's chat template is invalid: ";

void quiet_common_log() {
  static std::once_flag once;
  std::call_once(once, [] { common_log_set_verbosity_thold(LOG_LEVEL_OUTPUT); });
}

bool has_template(const llama_model* model) {
  return model != nullptr && (llama_model_chat_template(model, nullptr) != nullptr ||
                              llama_model_chat_template(model, "tool_use") != nullptr);
}

constexpr char kNoParameters[] = R"({"type": "object", "properties": {}})";

common_chat_tool to_common(const ChatTool& tool) {
  return {tool.name, tool.description, tool.parameters.empty() ? kNoParameters : tool.parameters};
}

common_chat_msg to_common(const ChatMessage& message) {
  common_chat_msg result;
  result.role = message.role;
  result.content = message.content;
  result.tool_name = message.name;
  result.tool_call_id = message.tool_call_id;
  return result;
}

// The template is asked, not read: it may refuse a second system message, drop it or put it elsewhere.
bool renders_both_in_order(const ChatTemplate& chat_template) {
  const std::string first = "First-mark-5dc1.";
  const std::string second = "Second-mark-83fe.";
  const auto text = chat_template.render({{{"system", first}, {"system", second}, {"user", "Third-mark-0b77."}}},
                                         /*add_generation_prompt=*/true);
  if (!text) return false;
  const size_t at_first = text->find(first);
  const size_t at_second = text->find(second);
  const size_t at_user = text->find("Third-mark-0b77.");
  return at_first != std::string::npos && at_user != std::string::npos && at_first < at_second && at_second < at_user;
}

bool renders_tools(const ChatTemplate& chat_template) {
  const auto text = chat_template.render({.messages = {{"user", "Hi."}}, .tools = {{.name = "mark_5dc1"}}},
                                         /*add_generation_prompt=*/true);
  return text && text->find("mark_5dc1") != std::string::npos;
}

}  // namespace

struct ChatTemplate::Impl {
  common_chat_templates_ptr templates;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::create(const llama_model* model, const std::string& override) try {
  quiet_common_log();
  if (override.empty() && !has_template(model)) {
    return fail(ErrorCode::kUnsupported, "This model has no chat template.");
  }
  // common_chat_templates_init loses the parser's words, so a source of ours is parsed once before.
  if (!override.empty()) static_cast<void>(common_chat_template(override, "", ""));
  ChatTemplate result(std::make_unique<Impl>(Impl{common_chat_templates_init(model, override)}));
  result.takes_many_system_messages_ = renders_both_in_order(result);
  result.takes_tools_ = renders_tools(result);
  return result;
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, kInvalidTemplate + std::string(error.what()));
}

// Messages are flat strings, and tools are no deeper than the request was, so that nothing recurses over what a client
// sent.
Result<std::string> ChatTemplate::render(const ChatPrompt& prompt, bool add_generation_prompt) const try {
  if (prompt.messages.empty()) return fail(ErrorCode::kInvalidArgument, "There are no messages.", "messages");
  common_chat_templates_inputs inputs;
  for (const ChatMessage& message : prompt.messages) inputs.messages.push_back(to_common(message));
  for (const ChatTool& tool : prompt.tools) inputs.tools.push_back(to_common(tool));
  inputs.enable_thinking = prompt.enable_thinking;
  inputs.add_generation_prompt = add_generation_prompt;
  // The text is all that is wanted: no output parser is derived from the template, which costs many renderings.
  inputs.force_pure_content = true;
  return common_chat_templates_apply(impl_->templates.get(), inputs).prompt;
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("The chat template refuses the messages: ") + error.what(),
              "messages");
}

}  // namespace rockllama
