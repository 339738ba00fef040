#include "api/chat_tools.h"

#include <algorithm>
#include <string>
#include <utility>

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
  if (const Json* parameters = fields.object("parameters")) read.parameters = parameters->dump();
  if (fields.error()) tool->fault(*fields.error());
  return read;
}

ChatTool read_tool(FieldReader* tool) {
  if (tool->string("type") != "function") tool->bad("type", "must be \"function\"");
  return read_function(tool);
}

}  // namespace

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
