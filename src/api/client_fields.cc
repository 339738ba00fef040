#include "api/client_fields.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace rockllama::api {
namespace {

using Words = std::initializer_list<std::string_view>;

constexpr size_t kMaxKeyBytes = 1024;

std::string listed(Words words) {
  std::string list;
  size_t left = words.size();
  for (const std::string_view word : words) {
    list += word;
    if (--left > 0) list += left == 1 ? " or " : ", ";
  }
  return list;
}

// Empty where it is absent or none of them.
std::string read_word(FieldReader* fields, const std::string& name, Words words) {
  std::string word = fields->string(name).value_or("");
  if (fields->find(name) == nullptr || std::find(words.begin(), words.end(), word) != words.end()) return word;
  fields->bad(name, "must be " + listed(words));
  return {};
}

void check_modalities(FieldReader* fields) {
  const Json* list = fields->list("modalities");
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string path = "modalities[" + std::to_string(i) + "]";
    if ((*list)[i] == "text") continue;
    const bool sound = (*list)[i] == "audio";
    fields->fault(sound ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument,
                  path + (sound ? ": there are only answers in text" : " must be text"), path);
  }
}

bool is_text_content(const Json& content) {
  if (content.is_string()) return true;
  return content.is_array() && std::all_of(content.begin(), content.end(), [](const Json& part) {
           return part.is_object() && part.value("type", Json()) == "text" && part.value("text", Json()).is_string();
         });
}

void check_prediction(FieldReader* fields) {
  const Json* prediction = fields->object("prediction");
  if (prediction == nullptr) return;
  FieldReader reader(*prediction, "prediction");
  (void)read_word(&reader, "type", {"content"});
  if (reader.find("type") == nullptr) reader.bad("type", "must be content");
  const Json* content = reader.find("content");
  if (content == nullptr || !is_text_content(*content)) reader.bad("content", "must be a text or a list of text parts");
  if (reader.error()) fields->fault(*reader.error());
}

// Open WebUI sends an object.
void check_user(FieldReader* fields) {
  const Json* user = fields->find("user");
  if (user != nullptr && !user->is_string() && !user->is_object()) fields->bad("user", "must be a string");
}

}  // namespace

void read_client_fields(FieldReader* fields, CompletionCall* call) {
  call->service_tier = read_word(fields, "service_tier", {"auto", "default", "flex", "scale", "priority"});
  call->request.prefix_key = fields->string("prompt_cache_key").value_or("");
  if (call->request.prefix_key.size() > kMaxKeyBytes) {
    fields->bad("prompt_cache_key", "must have at most " + std::to_string(kMaxKeyBytes) + " bytes");
  }
  (void)read_word(fields, "prompt_cache_retention", {"in_memory", "in-memory", "24h"});
  (void)read_word(fields, "verbosity", {"low", "medium", "high"});
  (void)fields->string("safety_identifier");
  (void)fields->boolean("store");
  (void)fields->object("metadata");
  check_user(fields);
  check_modalities(fields);
  check_prediction(fields);
}

}  // namespace rockllama::api
