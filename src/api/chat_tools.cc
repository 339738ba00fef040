#include "api/chat_tools.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/json_schema.h"

namespace rockllama::api {
namespace {

ChatTool read_function(FieldReader* fields) {
  ChatTool read{.name = fields->string("name").value_or(""), .description = fields->string("description").value_or("")};
  if (read.name.empty()) fields->bad("name", "must be a string that is not empty");
  if (const Json* parameters = fields->object("parameters")) {
    if (const auto problem = schema_problem(*parameters)) fields->bad("parameters", *problem);
    read.parameters = parameters->dump();
  }
  return read;
}

// A response may ask for tools that OpenAI itself runs.
void read_type(FieldReader* tool, WireForm form) {
  const auto type = tool->string("type");
  if (type == "function") return;
  if (form == WireForm::kResponses && type) {
    const std::string path = tool->path_of("type");
    tool->fault(ErrorCode::kUnsupported, path + ": only tools of type function are supported", path);
  }
  tool->bad("type", "must be \"function\"");
}

ChatTool read_tool(FieldReader* tool, WireForm form) {
  read_type(tool, form);
  if (form == WireForm::kResponses) return read_function(tool);
  const Json* function = tool->object("function");
  if (function == nullptr) {
    tool->bad("function", "must be an object");
    return {};
  }
  FieldReader fields(*function, tool->path_of("function"));
  ChatTool read = read_function(&fields);
  if (fields.error()) tool->fault(*fields.error());
  return read;
}

const char* name_field(WireForm form) { return form == WireForm::kChat ? "function.name" : "name"; }

// `json` is what `choice` reads.
std::string read_selected_name(FieldReader* choice, const Json& json, const std::vector<ChatTool>& tools,
                               WireForm form) {
  const bool in_chat = form == WireForm::kChat;
  if (choice->string("type") != "function") choice->bad("type", "must be \"function\"");
  const Json* function = in_chat ? choice->object("function") : &json;
  const auto name = function == nullptr ? Json::const_iterator() : function->find("name");
  const bool known = function != nullptr && name != function->end() &&
                     std::any_of(tools.begin(), tools.end(), [&](const ChatTool& tool) { return *name == tool.name; });
  if (!known && in_chat) choice->bad("function", "must be an object with the name of one of the tools");
  if (!known && !in_chat) choice->bad("name", "must be the name of one of the tools");
  return known ? name->get<std::string>() : std::string();
}

void read_tool_choice(FieldReader* fields, WireForm form, ChatPrompt* prompt) {
  const Json* value = fields->find("tool_choice");
  if (value == nullptr || *value == "auto") return;
  prompt->tool_choice = *value == "none" ? ToolChoice::kNone : ToolChoice::kRequired;
  if (*value == "none") return;
  if (value->is_object()) {
    FieldReader reader(*value, "tool_choice");
    prompt->required_tool = read_selected_name(&reader, *value, prompt->tools, form);
    if (reader.error()) fields->fault(*reader.error());
  } else if (*value != "required") {
    fields->bad("tool_choice", "must be none, auto, required or a function of tools");
  }
  if (prompt->tools.empty()) fields->bad("tool_choice", "needs tools");
}

}  // namespace

void read_tool_fields(FieldReader* fields, WireForm form, ChatPrompt* prompt) {
  const Json* tools = fields->list("tools");
  if (tools != nullptr && !tools->empty()) prompt->tools = read_tools(fields, form);
  read_tool_choice(fields, form, prompt);
  prompt->parallel_tool_calls = fields->boolean("parallel_tool_calls");
}

void refuse_schema_beside_tools(FieldReader* fields, const ChatPrompt& prompt, const std::string& name) {
  if (prompt.answer_schema.empty() || prompt.tools.empty() || prompt.tool_choice == ToolChoice::kNone) return;
  fields->fault(ErrorCode::kUnsupported, name + " with JSON and tools exclude each other", name);
}

std::vector<ChatTool> read_tools(FieldReader* fields, WireForm form) {
  const Json* list = fields->list("tools");
  if (list == nullptr || list->empty()) {
    fields->bad("tools", "must be a list of functions that is not empty");
    return {};
  }
  std::vector<ChatTool> tools;
  fields->each_object("tools", *list, [&](FieldReader* tool) {
    ChatTool read = read_tool(tool, form);
    const bool twice = std::any_of(tools.begin(), tools.end(), [&](const ChatTool& t) { return t.name == read.name; });
    if (twice) tool->bad(name_field(form), "is there twice");
    tools.push_back(std::move(read));
  });
  return tools;
}

}  // namespace rockllama::api
