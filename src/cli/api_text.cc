#include "cli/api_text.h"

#include <cstdio>
#include <utility>

#include "base/json_depth.h"
#include "base/one_line.h"
#include "cli/text_table.h"

namespace rockllama {
namespace {

// How much of a text is shown; all of it stands in the JSON.
constexpr size_t kShownText = 400;

const ApiJson* field(const ApiJson& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::string count_text(double count) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", count);
  return text;
}

std::string ago(double time, double now) {
  if (time == 0) return "never";
  const std::string age = duration_text(now - time);
  return age == "now" ? age : age + " ago";
}

std::string state_words(const ApiJson& state) {
  const std::string reason = text_field(state, "reason");
  return text_field(state, "format") + " " + text_field(state, "status") + (reason.empty() ? "" : ": " + reason);
}

// "chat ready, raw stale"; "text only".
std::string states_summary(const ApiJson& info) {
  std::string summary;
  for (const ApiJson& state : list_field(info, "binary")) {
    summary += (summary.empty() ? "" : ", ") + text_field(state, "format") + " " + text_field(state, "status");
  }
  return summary.empty() ? "text only" : summary;
}

std::string notes(const ApiJson& info, double now) {
  std::string text;
  const auto add = [&](const std::string& note) { text += (text.empty() ? "" : ", ") + note; };
  if (flag_field(info, "pinned")) add("pinned");
  if (const std::string parent = text_field(info, "parent"); !parent.empty()) add("continues " + parent);
  if (const double end = number_field(info, "expires_at"); end != 0) add("ends in " + duration_text(end - now));
  return text;
}

// As far as it can be shown, cut where a character begins.
std::string shown_text(std::string text) {
  if (text.size() <= kShownText) return text;
  size_t end = kShownText;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "\n... (--json shows all of it)";
}

// Line ends and tabs stay; nothing else may steer the terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (c != '\n' && c != '\t') c = one_line(std::string(1, c)).front();
  }
  return text;
}

}  // namespace

std::string text_field(const ApiJson& json, const char* name) {
  const ApiJson* value = field(json, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

double number_field(const ApiJson& json, const char* name) {
  const ApiJson* value = field(json, name);
  return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

bool flag_field(const ApiJson& json, const char* name) {
  const ApiJson* value = field(json, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::vector<ApiJson> list_field(const ApiJson& json, const char* name) {
  const ApiJson* value = field(json, name);
  if (value == nullptr || !value->is_array()) return {};
  return {value->begin(), value->end()};
}

std::string error_words(const ApiJson& json) {
  const ApiJson* error = field(json, "error");
  return error == nullptr ? "" : text_field(*error, "message");
}

Result<ApiJson> answer_json(const Result<http::ClientResponse>& response) {
  if (!response) return fail(response.error());
  ApiJson json = nested_too_deep(response->body) ? ApiJson() : ApiJson::parse(response->body, nullptr, false);
  if (response->status == 200 && json.is_object()) return json;
  const std::string words = json.is_object() ? error_words(json) : "";
  if (!words.empty()) return fail(ErrorCode::kIo, words);
  return fail(ErrorCode::kIo, "the server answered " + std::to_string(response->status) + " and nothing that is JSON");
}

std::string percent_encoded(const std::string& text) {
  constexpr const char* kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (std::string_view(kPlain).find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    char digits[4];
    std::snprintf(digits, sizeof digits, "%%%02X", static_cast<unsigned char>(c));
    encoded += digits;
  }
  return encoded;
}

std::string caches_text(const std::vector<ApiJson>& infos, double now) {
  if (infos.empty()) return "There are no prompt caches yet; `rockllama cache create NAME --file FILE` makes one.\n";
  std::vector<std::vector<std::string>> rows;
  for (const ApiJson& info : infos) {
    const double tokens = number_field(info, "prompt_tokens");
    rows.push_back(
        {text_field(info, "model_name"), text_field(info, "cache_name"), tokens == 0 ? "-" : count_text(tokens),
         size_text(number_field(info, "size_mb")), states_summary(info), count_text(number_field(info, "hits")),
         ago(number_field(info, "last_used_at"), now), ago(number_field(info, "modified_at"), now), notes(info, now)});
  }
  return text_table({{"MODEL"},
                     {"NAME"},
                     {"TOKENS", true},
                     {"SIZE", true},
                     {"STATES"},
                     {"HITS", true},
                     {"USED"},
                     {"CHANGED"},
                     {"NOTES"}},
                    rows);
}

std::string cache_text(const ApiJson& info, double now) {
  std::vector<std::vector<std::string>> pairs = {
      {"name", text_field(info, "cache_name")},
      {"model", text_field(info, "model_name")},
      {"size", size_text(number_field(info, "size_mb"))},
      {"characters", count_text(number_field(info, "content_length"))},
      {"tokens", count_text(number_field(info, "prompt_tokens"))},
      {"source", text_field(info, "source")},
      {"created", ago(number_field(info, "created_at"), now)},
      {"changed", ago(number_field(info, "modified_at"), now)},
      {"used", ago(number_field(info, "last_used_at"), now) + ", hits: " + count_text(number_field(info, "hits"))}};
  if (const std::string text = notes(info, now); !text.empty()) pairs.push_back({"notes", text});
  for (const ApiJson& state : list_field(info, "binary")) pairs.push_back({"state", state_words(state)});
  return text_list(pairs) + "\n" + printable(shown_text(text_field(info, "content"))) + "\n";
}

std::string models_text(const std::vector<ApiJson>& models) {
  if (models.empty()) return "There is no model; put a .gguf or .rkllm file into models/NAME/.\n";
  std::vector<std::vector<std::string>> rows;
  rows.reserve(models.size());
  for (const ApiJson& model : models) {
    rows.push_back({text_field(model, "name"), text_field(model, "filename"), size_text(number_field(model, "size_mb")),
                    flag_field(model, "loaded") ? "yes" : "no"});
  }
  return text_table({{"NAME"}, {"FILE"}, {"SIZE", true}, {"LOADED"}}, rows);
}

}  // namespace rockllama
