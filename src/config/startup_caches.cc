#include <algorithm>
#include <filesystem>
#include <utility>

#include "cache/cache_content.h"
#include "cache/cache_store.h"
#include "config/member_reader.h"
#include "config/structured_fields.h"

namespace rockllama {
namespace {

using nlohmann::json;

// Where the file lies; empty where it lies nowhere.
std::string find_text_file(const std::string& name, const std::string& folder) {
  std::error_code error;
  const std::filesystem::path beside = std::filesystem::path(folder) / name;
  for (const std::filesystem::path& place : {beside, std::filesystem::path(name)}) {
    if (std::filesystem::is_regular_file(place, error)) return place.string();
  }
  return {};
}

std::string read_prompt_file(const std::string& name, const std::string& folder, MemberReader* members) {
  const std::string path = find_text_file(name, folder);
  const auto text = path.empty() ? std::optional<std::string>("") : read_system_text(path);
  if (path.empty()) {
    members->fault("file", "there is no file '" + name + "'");
  } else if (!text) {
    members->fault("file", "'" + path + "' is not UTF-8 text");
  } else if (text->empty()) {
    members->fault("file", "'" + path + "' is empty or cannot be read");
  }
  return text.value_or("");
}

// As the store keeps them.
std::string read_messages(const json& messages, MemberReader* members) {
  json stored = {{"object", "prompt_cache.messages"}, {"messages", messages}};
  if (const json* tools = members->find("tools")) stored["tools"] = *tools;
  const auto content = parse_content(stored.dump());
  if (!content) {
    members->fault(content.error().param.empty() ? "messages" : content.error().param, content.error().message);
  } else if (content->is_text()) {
    members->fault("messages", "must not be empty, and be nested at most 64 levels");
  }
  return content ? encode_content(*content) : "";
}

std::string read_content(MemberReader* members, const std::string& folder) {
  int sources = 0;
  for (const char* source : {"prompt", "file", "messages"}) sources += members->find(source) != nullptr ? 1 : 0;
  if (sources != 1) {
    members->fault("prompt", "file or messages: exactly one of them must be there");
    return {};
  }
  if (const json* messages = members->find("messages")) return read_messages(*messages, members);
  if (members->find("tools") != nullptr) members->fault("tools", "stand beside messages only");
  const auto prompt = members->text("prompt");
  const auto file = members->text("file");
  if (file) {
    return read_prompt_file(*file, folder, members);
  } else if (prompt && prompt->empty()) {
    members->fault("prompt", "must not be empty");
  }
  return prompt.value_or("");
}

Config::StartupCache read_entry(const json& value, const std::string& place, const std::string& folder,
                                std::vector<std::string>* faults) {
  Config::StartupCache cache;
  if (!value.is_object()) {
    faults->push_back(place + ": must be an object");
    return cache;
  }
  MemberReader members(value, place, faults);
  members.refuse_others(
      {"model", "name", "prompt", "file", "messages", "tools", "parent", "pinned", "format", "required"});
  cache.model = members.text("model").value_or("");
  cache.name = members.text("name").value_or("");
  const json* name = members.find("name");
  if (name == nullptr || *name == "") members.fault("name", "must be there and not empty");
  cache.content = read_content(&members, folder);
  cache.parent = members.text("parent").value_or("");
  cache.pinned = members.flag("pinned");
  cache.required = members.flag("required").value_or(false);
  cache.format = members.text("format").value_or(cache.format);
  if (cache.format != "both" && cache.format != "chat" && cache.format != "raw") {
    members.fault("format", "must be both, chat or raw");
  }
  return cache;
}

Config::StartupCache read_short_form(const std::string& name, const json& value, std::vector<std::string>* faults) {
  const bool fine = value.is_string() && value != "";
  if (!fine) faults->push_back("startup_caches." + name + ": must be a text that is not empty");
  return {.name = name, .content = fine ? value.get<std::string>() : ""};
}

void check_name(const Config::StartupCache& cache, const std::string& place, const Config& config,
                std::vector<std::string>* faults) {
  if (cache.name.empty()) return;  // a fault of its own
  if (!valid_cache_name(cache.name)) {
    faults->push_back(place + ": " + kCacheNameRule);
  }
  const bool twice = std::any_of(config.startup_caches.begin(), config.startup_caches.end(), [&](const auto& other) {
    return other.model == cache.model && other.name == cache.name;
  });
  if (twice) faults->push_back(place + ": the cache is there twice");
}

}  // namespace

std::vector<std::string> set_startup_caches(Config& config, const json& value, const std::string& folder) {
  std::vector<std::string> faults;
  config.startup_caches.clear();
  const auto add = [&](const Config::StartupCache& cache, const std::string& place) {
    check_name(cache, place, config, &faults);
    config.startup_caches.push_back(cache);
  };
  if (value.is_object()) {
    for (const auto& [name, text] : value.items()) {
      if (!is_remark(name)) add(read_short_form(name, text, &faults), "startup_caches." + name);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string place = "startup_caches[" + std::to_string(i) + "]";
      add(read_entry(value[i], place, folder, &faults), place + ".name");
    }
  } else {
    faults.emplace_back("startup_caches: must be a list of caches, or an object of names and texts");
  }
  return faults;
}

}  // namespace rockllama
