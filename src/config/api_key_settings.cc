#include "config/api_key_settings.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

namespace rockllama {
namespace {

using nlohmann::json;

constexpr const char* kForm = R"(must be {"name": "...", "key": "..."} or "name:key")";

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<std::string> add_key(const std::string& name, const std::string& key, ApiKeyMap* keys) {
  if (!is_plain(name) || !is_plain(key)) return "name and key must be plain characters without spaces, at least one";
  const bool twice = std::any_of(keys->begin(), keys->end(), [&](const auto& known) { return known.second == key; });
  if (twice) return "the key of '" + name + "' is there twice";
  if (!keys->emplace(name, key).second) return "the name '" + name + "' is there twice";
  return std::nullopt;
}

std::optional<std::string> add_text(const std::string& text, ApiKeyMap* keys) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return kForm;
  return add_key(text.substr(0, colon), text.substr(colon + 1), keys);
}

std::optional<std::string> add_item(const json& item, ApiKeyMap* keys) {
  if (item.is_string()) return add_text(item.get<std::string>(), keys);
  if (!item.is_object() || item.size() != 2) return kForm;
  const auto name = item.find("name");
  const auto key = item.find("key");
  if (name == item.end() || key == item.end() || !name->is_string() || !key->is_string()) return kForm;
  return add_key(name->get<std::string>(), key->get<std::string>(), keys);
}

}  // namespace

std::optional<std::string> parse_api_keys(const json& list, ApiKeyMap* keys) {
  if (!list.is_array()) return "must be a list";
  ApiKeyMap parsed;
  for (size_t i = 0; i < list.size(); ++i) {
    if (const auto fault = add_item(list[i], &parsed)) return "entry " + std::to_string(i + 1) + ": " + *fault;
  }
  *keys = std::move(parsed);
  return std::nullopt;
}

void read_api_keys_file(Config* config, ConfigReport* report) {
  const std::string& path = config->server.api_keys_file;
  if (path.empty()) return;
  std::ifstream file(path);
  const size_t before = config->server.api_keys.size();
  size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto fault = add_text(line, &config->server.api_keys);
    if (fault) report->errors.push_back(path + ": line " + std::to_string(number) + ": " + *fault);
  }
  // Whoever names a file wants keys: without any, everybody could call.
  if (config->server.api_keys.size() == before) {
    report->errors.push_back("server.api_keys_file: " + path + " cannot be read or holds no key");
  }
}

}  // namespace rockllama
