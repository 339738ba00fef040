#include "api/chat_tools.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/json_schema.h"

namespace rockllama::api {
namespace {

ChatTool read_function(FieldReader* tool) {
  const Json* function = tool->object("function");
  if (function == nullptr) {
    tool->bad("function", "must be an object");
    return {};
  }
  FieldReader fields(*function, tool->path_of("function"));
  ChatTool read{.name = fields.string("name").value_or(""), .description = fields.string("description").value_or("")};
  if (read.name.empty()) fields.bad("name", "must be a string that is not empty");
  if (const Json* parameters = fields.object("parameters")) {
    if (const auto problem = schema_problem(*parameters)) fields.bad("parameters", *problem);
    read.parameters = parameters->dump();
  }
  if (fields.error()) tool->fault(*fields.error());
  return read;
}

ChatTool read_tool(FieldReader* tool) {
  if (tool->string("type") != "function") tool->bad("type", "must be \"function\"");
  return read_function(tool);
}

std::string read_selected_name(FieldReader* choice, const std::vector<ChatTool>& tools) {
  if (choice->string("type") != "function") choice->bad("type", "must be \"function\"");
  const Json* function = choice->object("function");
  const auto name = function == nullptr ? Json::const_iterator() : function->find("name");
  const bool known = function != nullptr && name != function->end() &&
                     std::any_of(tools.begin(), tools.end(), [&](const ChatTool& tool) { return *name == tool.name; });
  if (!known) choice->bad("function", "must be an object with the name of one of the tools");
  return known ? name->get<std::string>() : std::string();
}

}  // namespace

ToolSelection read_tool_choice(FieldReader* fields, const std::vector<ChatTool>& tools) {
  const Json* value = fields->find("tool_choice");
  if (value == nullptr || *value == "auto") return {};
  if (*value == "none") return {ToolChoice::kNone};
  ToolSelection selection{ToolChoice::kRequired};
  if (value->is_object()) {
    FieldReader reader(*value, "tool_choice");
    selection.name = read_selected_name(&reader, tools);
    if (reader.error()) fields->fault(*reader.error());
  } else if (*value != "required") {
    fields->bad("tool_choice", "must be none, auto, required or a function of tools");
  }
  if (tools.empty()) fields->bad("tool_choice", "needs tools");
  return selection;
}

std::vector<ChatTool> read_tools(FieldReader* fields) {
  const Json* list = fields->list("tools");
  if (list == nullptr || list->empty()) {
    fields->bad("tools", "must be a list of functions that is not empty");
    return {};
  }
  std::vector<ChatTool> tools;
  for (size_t i = 0; i < list->size() && !fields->error(); ++i) {
    const std::string path = "tools[" + std::to_string(i) + "]";
    if (!(*list)[i].is_object()) {
      fields->fault(ErrorCode::kInvalidArgument, path + " must be an object", path);
      break;
    }
    FieldReader tool((*list)[i], path);
    ChatTool read = read_tool(&tool);
    const bool twice = std::any_of(tools.begin(), tools.end(), [&](const ChatTool& t) { return t.name == read.name; });
    if (twice) tool.fault(ErrorCode::kInvalidArgument, path + ".function.name is there twice", path + ".function.name");
    if (tool.error()) fields->fault(*tool.error());
    tools.push_back(std::move(read));
  }
  return tools;
}

}  // namespace rockllama::api
