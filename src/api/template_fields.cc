#include "api/template_fields.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rockllama::api {
namespace {

constexpr std::array<std::string_view, 6> kEfforts = {"none", "minimal", "low", "medium", "high", "xhigh"};

}  // namespace

void read_effort(FieldReader* fields, const std::string& name, ChatPrompt* prompt) {
  const auto effort = fields->string(name);
  if (!effort) return;
  if (std::find(kEfforts.begin(), kEfforts.end(), *effort) == kEfforts.end()) {
    fields->bad(name, "must be none, minimal, low, medium, high or xhigh");
  }
  prompt->enable_thinking = *effort != "none";
  if (prompt->enable_thinking) prompt->template_arguments.emplace_back("reasoning_effort", api::quoted(*effort));
}

void read_template_arguments(FieldReader* fields, ChatPrompt* prompt) {
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

}  // namespace rockllama::api
