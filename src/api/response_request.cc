#include "api/response_request.h"

#include <limits>
#include <utility>

#include "api/answer_format.h"
#include "api/chat_tools.h"
#include "api/response_input.h"
#include "api/template_fields.h"

namespace rockllama::api {
namespace {

// What would change the answer, or where it goes, is refused where it cannot be done.
void refuse_response_fields(FieldReader* fields) {
  const auto refuse = [fields](const std::string& name) {
    fields->fault(ErrorCode::kUnsupported, name + " is not supported", name);
  };
  if (fields->boolean("background").value_or(false)) refuse("background");
  for (const char* name : {"conversation", "prompt"}) {
    if (fields->find(name) != nullptr) refuse(name);
  }
  const auto truncation = fields->string("truncation");
  if (truncation == "auto") refuse("truncation");
  if (truncation && truncation != "disabled") fields->bad("truncation", "must be disabled");
}

void read_reasoning(FieldReader* fields, ChatPrompt* prompt) {
  if (const Json* reasoning = fields->object("reasoning")) {
    FieldReader reader(*reasoning, "reasoning");
    read_effort(&reader, "effort", prompt);
    if (reader.error()) fields->fault(*reader.error());
  }
  read_template_arguments(fields, prompt);
}

void read_text_format(FieldReader* fields, ChatPrompt* prompt) {
  const Json* text = fields->object("text");
  if (text == nullptr) return;
  FieldReader text_fields(*text, "text");
  if (const Json* format = text_fields.object("format")) {
    FieldReader reader(*format, "text.format");
    prompt->answer_schema = read_answer_schema(&reader, WireForm::kResponses);
    if (reader.error()) fields->fault(*reader.error());
  }
  if (text_fields.error()) fields->fault(*text_fields.error());
  refuse_schema_beside_tools(fields, *prompt, "text.format");
}

// Asked for by a number, or by the name of what is to be included.
std::optional<uint32_t> read_response_logprobs(FieldReader* fields) {
  const auto top = fields->integer("top_logprobs", {0, kMaxTopLogprobs});
  if (top.value_or(0) > 0) return static_cast<uint32_t>(*top);
  const Json* include = fields->list("include");
  if (include == nullptr) return std::nullopt;
  for (const Json& wanted : *include) {
    if (wanted == "message.output_text.logprobs") return 0;
  }
  return std::nullopt;
}

OrderedJson echo_of(const Json& body) {
  OrderedJson echo = {{"instructions", nullptr},
                      {"max_output_tokens", nullptr},
                      {"metadata", OrderedJson::object()},
                      {"parallel_tool_calls", true},
                      {"previous_response_id", nullptr},
                      {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                      {"store", true},
                      {"temperature", nullptr},
                      {"text", {{"format", {{"type", "text"}}}}},
                      {"tool_choice", "auto"},
                      {"tools", OrderedJson::array()},
                      {"top_logprobs", 0},
                      {"top_p", nullptr},
                      {"truncation", "disabled"},
                      {"user", nullptr}};
  for (auto& [name, value] : echo.items()) {
    const auto asked = body.find(name);
    if (asked != body.end() && !asked->is_null()) value = OrderedJson(*asked);
  }
  return echo;
}

}  // namespace

Result<ResponseCall> parse_response_request(std::string_view body, bool enable_thinking) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  ResponseCall response;
  CompletionCall& call = response.call;
  ChatPrompt prompt{.messages = read_input(&fields), .enable_thinking = enable_thinking};
  response.instructions = fields.string("instructions").value_or("");
  response.previous_id = fields.string("previous_response_id").value_or("");
  response.store = fields.boolean("store").value_or(true);
  read_reasoning(&fields, &prompt);
  read_tool_fields(&fields, WireForm::kResponses, &prompt);
  read_text_format(&fields, &prompt);
  read_generation_fields(&fields, *json, &call);
  call.choices = 1;
  const auto limit = fields.integer("max_output_tokens", {1, std::numeric_limits<int32_t>::max()});
  call.request.options.max_tokens = limit.value_or(call.request.options.max_tokens);
  call.request.options.top_logprobs = read_response_logprobs(&fields);
  refuse_response_fields(&fields);
  if (fields.error()) return fail(*fields.error());
  set_chat(std::move(prompt), &call);
  response.echo = echo_of(*json);
  return response;
}

std::vector<ChatMessage> whole_conversation(const std::string& instructions, const std::vector<ChatMessage>& before,
                                            const std::vector<ChatMessage>& input) {
  std::vector<ChatMessage> messages;
  if (!instructions.empty()) messages.push_back({"system", instructions});
  messages.insert(messages.end(), before.begin(), before.end());
  messages.insert(messages.end(), input.begin(), input.end());
  return messages;
}

}  // namespace rockllama::api
