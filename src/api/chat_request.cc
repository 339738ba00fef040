#include "api/chat_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "api/answer_check.h"
#include "api/chat_messages.h"
#include "api/chat_tools.h"
#include "api/json_schema.h"

namespace rockllama::api {
namespace {

constexpr std::array<std::string_view, 6> kEfforts = {"none", "minimal", "low", "medium", "high", "xhigh"};
constexpr const char* kAnyObject = R"({"type":"object"})";

// What the template is told beside the messages. The plainest field wins.
void read_template_fields(FieldReader* fields, ChatPrompt* prompt) {
  if (const auto effort = fields->string("reasoning_effort")) {
    if (std::find(kEfforts.begin(), kEfforts.end(), *effort) == kEfforts.end()) {
      fields->bad("reasoning_effort", "must be none, minimal, low, medium, high or xhigh");
    }
    prompt->enable_thinking = *effort != "none";
    if (prompt->enable_thinking) prompt->template_arguments.emplace_back("reasoning_effort", api::quoted(*effort));
  }
  if (const Json* arguments = fields->object("chat_template_kwargs")) {
    FieldReader reader(*arguments, "chat_template_kwargs");
    prompt->enable_thinking = reader.boolean("enable_thinking").value_or(prompt->enable_thinking);
    if (reader.error()) fields->fault(*reader.error());
    for (const auto& [name, value] : arguments->items()) {
      if (name != "enable_thinking") prompt->template_arguments.emplace_back(name, value.dump());
    }
  }
  prompt->enable_thinking = fields->boolean("enable_thinking").value_or(prompt->enable_thinking);
}

void read_tool_fields(FieldReader* fields, ChatPrompt* prompt) {
  if (const Json* functions = fields->list("functions"); functions != nullptr && !functions->empty()) {
    fields->fault(ErrorCode::kUnsupported, "functions are not supported: tools are", "functions");
  }
  const Json* tools = fields->list("tools");
  if (tools != nullptr && !tools->empty()) prompt->tools = read_tools(fields);
  ToolSelection selection = read_tool_choice(fields, prompt->tools);
  prompt->tool_choice = selection.choice;
  prompt->required_tool = std::move(selection.name);
  prompt->parallel_tool_calls = fields->boolean("parallel_tool_calls");
}

std::string read_named_schema(FieldReader* format) {
  const Json* named = format->object("json_schema");
  if (named == nullptr) {
    format->bad("json_schema", "must be an object");
    return {};
  }
  FieldReader fields(*named, format->path_of("json_schema"));
  const Json* schema = fields.object("schema");
  if (schema == nullptr) {
    fields.bad("schema", "must be an object");
  } else if (const auto problem = schema_problem(*schema)) {
    fields.bad("schema", *problem);
  }
  if (fields.error()) format->fault(*fields.error());
  return schema == nullptr ? std::string() : schema->dump();
}

void read_response_format(FieldReader* fields, ChatPrompt* prompt) {
  const Json* format = fields->object("response_format");
  if (format == nullptr) return;
  FieldReader reader(*format, "response_format");
  const std::string type = reader.string("type").value_or("");
  if (type == "json_object") {
    prompt->answer_schema = kAnyObject;
  } else if (type == "json_schema") {
    prompt->answer_schema = read_named_schema(&reader);
  } else if (type != "text") {
    reader.bad("type", "must be text, json_object or json_schema");
  }
  if (reader.error()) fields->fault(*reader.error());
  if (!prompt->answer_schema.empty() && !prompt->tools.empty() && prompt->tool_choice != ToolChoice::kNone) {
    fields->fault(ErrorCode::kUnsupported, "response_format with JSON and tools exclude each other", "response_format");
  }
}

std::optional<uint32_t> read_logprobs(FieldReader* fields) {
  const bool wanted = fields->boolean("logprobs").value_or(false);
  const auto top = static_cast<uint32_t>(fields->integer("top_logprobs", {0, kMaxTopLogprobs}).value_or(0));
  if (wanted) return top;
  if (top != 0) fields->bad("top_logprobs", "needs logprobs to be true");
  return std::nullopt;
}

}  // namespace

Result<CompletionCall> parse_chat_request(std::string_view body, bool enable_thinking) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  CompletionCall call;
  ChatPrompt prompt{.messages = read_messages(&fields), .enable_thinking = enable_thinking};
  read_template_fields(&fields, &prompt);
  read_tool_fields(&fields, &prompt);
  read_response_format(&fields, &prompt);
  read_generation_fields(&fields, *json, &call);
  call.request.options.top_logprobs = read_logprobs(&fields);
  if (fields.error()) return fail(*fields.error());
  if (!prompt.answer_schema.empty()) {
    call.request.make_answer_check = [schema = prompt.answer_schema] { return make_answer_check(schema); };
  }
  call.request.prompt = std::move(prompt);
  return call;
}

}  // namespace rockllama::api
