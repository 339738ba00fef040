#include "chat/chat_template.h"

#include <chat.h>
#include <json-schema-to-grammar.h>
#include <llama.h>
#include <log.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "chat/answer_syntax.h"

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
  result.reasoning_content = message.reasoning_content;
  for (const ToolCall& call : message.tool_calls) result.tool_calls.push_back({call.name, call.arguments, call.id});
  return result;
}

common_chat_tool_choice to_common(ToolChoice choice) {
  switch (choice) {
    case ToolChoice::kNone:
      return COMMON_CHAT_TOOL_CHOICE_NONE;
    case ToolChoice::kRequired:
      return COMMON_CHAT_TOOL_CHOICE_REQUIRED;
    case ToolChoice::kAuto:
      break;
  }
  return COMMON_CHAT_TOOL_CHOICE_AUTO;
}

common_chat_templates_inputs to_common(const ChatPrompt& prompt) {
  common_chat_templates_inputs inputs;
  for (const ChatMessage& message : prompt.messages) inputs.messages.push_back(to_common(message));
  for (const ChatTool& tool : prompt.tools) inputs.tools.push_back(to_common(tool));
  inputs.enable_thinking = prompt.enable_thinking;
  for (const auto& [name, value] : prompt.template_arguments) inputs.chat_template_kwargs[name] = value;
  return inputs;
}

bool may_call_tools(const ChatPrompt& prompt) {
  return !prompt.tools.empty() && prompt.tool_choice != ToolChoice::kNone;
}

// A prompt shows all tools whatever the choice, so that requests share it; the answer may use only these.
std::vector<common_chat_tool> tools_of_answer(const ChatPrompt& prompt) {
  std::vector<common_chat_tool> tools;
  for (const ChatTool& tool : prompt.tools) {
    if (prompt.required_tool.empty() || tool.name == prompt.required_tool) tools.push_back(to_common(tool));
  }
  return tools;
}

GrammarTrigger trigger_of(const common_grammar_trigger& trigger) {
  switch (trigger.type) {
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
      return {trigger.value, true};
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
      return {(trigger.value.starts_with('^') ? "" : "^") + trigger.value + (trigger.value.ends_with('$') ? "" : "$"),
              true};
    default:
      return {trigger.value};
  }
}

// Whether reasoning may stand, or has begun, where the answer begins.
bool may_begin_with_reasoning(const common_chat_params& params, const ChatPrompt& prompt) {
  if (params.thinking_start_tag.empty()) return false;
  const std::string& before = params.generation_prompt;
  const size_t start = before.rfind(params.thinking_start_tag);
  if (start == std::string::npos) return prompt.enable_thinking;
  return std::none_of(params.thinking_end_tags.begin(), params.thinking_end_tags.end(),
                      [&](const std::string& end) { return before.find(end, start) != std::string::npos; });
}

// What a lazy one waits for is where its rules begin: so with `at_once` it holds from the first token.
AnswerGrammar grammar_of(const common_chat_params& params, bool at_once) {
  if (params.grammar.empty()) return {};
  AnswerGrammar grammar{.rules = params.grammar, .lazy = params.grammar_lazy && !at_once};
  if (params.grammar_lazy && at_once) return grammar;
  for (const common_grammar_trigger& trigger : params.grammar_triggers) {
    grammar.triggers.push_back(trigger_of(trigger));
  }
  if (!grammar.lazy) grammar.begun = params.generation_prompt;
  grammar.reasoning_start = params.thinking_start_tag;
  grammar.reasoning_ends = params.thinking_end_tags;
  grammar.prompt_end = params.generation_prompt;
  return grammar;
}

std::shared_ptr<AnswerSyntax> syntax_of(const common_chat_params& params) {
  auto syntax = std::make_shared<AnswerSyntax>();
  syntax->params = common_chat_parser_params(params);
  syntax->reasons = !params.thinking_start_tag.empty();
  syntax->params.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  if (!params.parser.empty()) syntax->params.parser.load(params.parser);
  return syntax;
}

// Before the template sees it, so that the fault has its name.
Status check_schema(const ChatPrompt& prompt) try {
  if (!prompt.answer_schema.empty()) {
    static_cast<void>(json_schema_to_grammar(common_json::parse(prompt.answer_schema)));
  }
  return {};
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("The JSON schema cannot be followed: ") + error.what(),
              "response_format");
}

Error refused(const std::exception& error) {
  return {ErrorCode::kInvalidArgument, std::string("The chat template refuses the messages: ") + error.what(),
          "messages"};
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
  result.reasons_ = result.may_reason();
  result.parallel_calls_ =
      common_chat_templates_get_caps(result.impl_->templates.get())["supports_parallel_tool_calls"];
  return result;
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, kInvalidTemplate + std::string(error.what()));
}

// Messages are flat strings, and tools are no deeper than the request was, so that nothing recurses over what a client
// sent.
Result<std::string> ChatTemplate::render(const ChatPrompt& prompt, bool add_generation_prompt) const try {
  if (prompt.messages.empty()) return fail(ErrorCode::kInvalidArgument, "There are no messages.", "messages");
  common_chat_templates_inputs inputs = to_common(prompt);
  inputs.add_generation_prompt = add_generation_prompt;
  // The text is all that is wanted: no output parser is derived from the template, which costs many renderings.
  inputs.force_pure_content = true;
  return common_chat_templates_apply(impl_->templates.get(), inputs).prompt;
} catch (const std::exception& error) {
  return fail(refused(error));
}

Result<RenderedChat> ChatTemplate::render_for_answer(const ChatPrompt& prompt) const try {
  const bool calls = may_call_tools(prompt) && takes_tools_;
  if (!calls && prompt.answer_schema.empty() && !reasons_) {
    auto text = render(prompt, /*add_generation_prompt=*/true);
    if (!text) return fail(text.error());
    return RenderedChat{.text = std::move(*text)};
  }
  if (prompt.messages.empty()) return fail(ErrorCode::kInvalidArgument, "There are no messages.", "messages");
  if (const Status status = check_schema(prompt); !status) return fail(status.error());
  common_chat_templates_inputs inputs = to_common(prompt);
  inputs.tool_choice = calls ? to_common(prompt.tool_choice) : COMMON_CHAT_TOOL_CHOICE_NONE;
  inputs.parallel_tool_calls = prompt.parallel_tool_calls.value_or(parallel_calls_);
  inputs.json_schema = prompt.answer_schema;
  inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  common_chat_params params = common_chat_templates_apply(impl_->templates.get(), inputs);
  std::string text = std::move(params.prompt);
  if (calls && prompt.tool_choice == ToolChoice::kRequired) {
    inputs.tools = tools_of_answer(prompt);
    // llama.cpp lets a model say anything before a required call. The grammar of a free call begins with the call, but
    // not every template has one.
    if (!may_begin_with_reasoning(params, prompt)) inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_AUTO;
    params = common_chat_templates_apply(impl_->templates.get(), inputs);
    if (params.grammar.empty()) {
      inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
      params = common_chat_templates_apply(impl_->templates.get(), inputs);
    }
    if (params.grammar.empty()) {
      return fail(ErrorCode::kUnsupported, "This model's chat template has no form for required tool calls.",
                  "tool_choice");
    }
  }
  std::shared_ptr<AnswerSyntax> syntax = syntax_of(params);
  // llama.cpp's grammars let some models go on calling.
  syntax->one_call = !inputs.parallel_tool_calls;
  return RenderedChat{.text = std::move(text),
                      .grammar = grammar_of(params, calls && prompt.tool_choice == ToolChoice::kRequired),
                      .preserved_tokens = params.preserved_tokens,
                      .stops = params.additional_stops,
                      .syntax = std::move(syntax)};
} catch (const std::exception& error) {
  return fail(refused(error));
}

// Asked, like the rest; a template that no parser can be derived from is taken as plain.
bool ChatTemplate::may_reason() const try {
  common_chat_templates_inputs inputs = to_common(ChatPrompt{.messages = {{"user", "Hi."}}, .enable_thinking = true});
  inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  return common_chat_templates_apply(impl_->templates.get(), inputs).supports_thinking;
} catch (const std::exception&) {
  return false;
}

}  // namespace rockllama
