#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/json_depth.h"
#include "config/api_key_settings.h"
#include "config/config.h"
#include "config/config_fields.h"
#include "config/member_reader.h"
#include "config/structured_fields.h"

namespace rockllama {
namespace {

using nlohmann::json;

constexpr const char* kEnvironmentPrefix = "ROCKLLAMA_";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// Where `name` lies, as it is to be shown; empty when it is nowhere.
std::string find_file(const std::string& name, const std::string& config_file) {
  std::vector<std::string> places = {"config/" + name};
  if (!config_file.empty()) {
    const std::filesystem::path folder = std::filesystem::path(config_file).parent_path();
    places.push_back((folder / name).string());
  }
  places.push_back("/etc/rockllama/" + name);
  for (const std::string& place : places) {
    std::error_code error;
    if (std::filesystem::is_regular_file(place, error)) return place;
  }
  return {};
}

// JSON or nothing, with the fault in `report`. Comments are allowed.
std::optional<json> parse_json(const std::string& bytes, const std::string& source, ConfigReport* report) {
  try {
    if (!nested_too_deep(bytes)) return json::parse(bytes, nullptr, true, true);
    report->errors.push_back(source + ": must not nest deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  } catch (const json::exception& error) {
    report->errors.push_back(source + ": is not JSON: " + error.what());
  }
  return std::nullopt;
}

const ConfigField* find_field(const std::vector<ConfigField>& fields, const std::string& path) {
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const ConfigField& f) { return f.path == path; });
  return field == fields.end() ? nullptr : &*field;
}

void set_field(const ConfigField& field, const json& value, const std::string& source, Config* config,
               ConfigReport* report) {
  if (const auto fault = field.set(*config, value)) {
    report->errors.push_back(source + ": " + field.path + ": " + *fault);
  }
}

void apply_section(const std::string& section, const json& members, const std::vector<ConfigField>& fields,
                   const std::string& source, Config* config, ConfigReport* report) {
  for (const auto& [key, value] : members.items()) {
    const std::string path = section + "." + key;
    if (is_remark(key)) continue;
    if (const ConfigField* field = find_field(fields, path)) {
      set_field(*field, value, source, config, report);
    } else {
      report->warnings.push_back(source + ": " + path + ": unknown key");
    }
  }
}

void set_structure(const StructuredField& field, const json& value, const std::string& source, Config* config,
                   ConfigReport* report) {
  const std::string folder = std::filesystem::path(source).parent_path().string();
  for (const std::string& fault : field.set(*config, value, folder)) report->errors.push_back(source + ": " + fault);
}

void apply_member(const std::string& section, const json& members, const std::vector<ConfigField>& fields,
                  const std::string& source, Config* config, ConfigReport* report) {
  const bool known = std::any_of(fields.begin(), fields.end(),
                                 [&](const ConfigField& field) { return field.path.starts_with(section + "."); });
  if (!known) {
    report->warnings.push_back(source + ": " + section + ": unknown key");
  } else if (!members.is_object()) {
    report->errors.push_back(source + ": " + section + ": must be an object");
  } else {
    apply_section(section, members, fields, source, config, report);
  }
}

void apply_file(const std::string& path, const std::vector<ConfigField>& fields,
                const std::vector<StructuredField>& structures, Config* config, ConfigReport* report) {
  const auto bytes = read_file(path);
  if (!bytes) {
    report->errors.push_back(path + ": cannot be read");
    return;
  }
  const auto object = parse_json(*bytes, path, report);
  if (!object) return;
  if (!object->is_object()) {
    report->errors.push_back(path + ": must be a JSON object");
    return;
  }
  for (const auto& item : object->items()) {
    if (is_remark(item.key())) continue;
    const auto structure = std::find_if(structures.begin(), structures.end(),
                                        [&](const StructuredField& field) { return field.path == item.key(); });
    if (structure != structures.end()) {
      set_structure(*structure, item.value(), path, config, report);
    } else {
      apply_member(item.key(), item.value(), fields, path, config, report);
    }
  }
}

json list_of(const std::string& text) {
  json list = json::array();
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) list.push_back(item);
  return list;
}

// Flags and environment are text: read as what the field holds by default.
json from_text(const std::string& text, const json& current) {
  if (current.is_string()) return text;
  if (current.is_array()) return list_of(text);
  try {
    return json::parse(text);
  } catch (const json::exception&) {
    return text;  // the field says what it must be
  }
}

void apply_text(const std::string& path, const std::string& text, const std::string& source, Config* config,
                ConfigReport* report) {
  const ConfigField* field = find_field(server_fields(), path);
  if (field == nullptr) field = find_field(inference_fields(), path);
  if (field == nullptr) {
    report->warnings.push_back(source + ": unknown setting");
    return;
  }
  set_field(*field, from_text(text, field->get(*config)), source, config, report);
}

std::string environment_name(const std::string& path) {
  std::string name = kEnvironmentPrefix;
  for (const char c : path) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void apply_environment(const std::map<std::string, std::string>& environment, Config* config, ConfigReport* report) {
  for (const std::vector<ConfigField>* fields : {&server_fields(), &inference_fields()}) {
    for (const ConfigField& field : *fields) {
      const auto value = environment.find(environment_name(field.path));
      if (value != environment.end()) apply_text(field.path, value->second, value->first, config, report);
    }
  }
}

// A structure is JSON in its variable; files that it names are looked for in the working directory.
void apply_structures(const std::map<std::string, std::string>& environment, Config* config, ConfigReport* report) {
  for (const StructuredField& field : structured_fields()) {
    const auto variable = environment.find(environment_name(field.path));
    if (variable == environment.end()) continue;
    if (const auto value = parse_json(variable->second, variable->first, report)) {
      set_structure(field, *value, variable->first, config, report);
    }
  }
}

void read_system_prompt(const std::string& config_file, Config* config, ConfigReport* report) {
  config->system_prompt = config->inference.system_prompt;
  config->system_prompt_source = find_file("inference_config.json", config_file);
  if (config->system_prompt_source.empty()) config->system_prompt_source = "chat_template.system_prompt";
  const std::string path = find_file("system.txt", config_file);
  if (path.empty()) return;
  const auto text = read_system_text(path);
  if (!text) report->errors.push_back(path + ": is not UTF-8 text");
  config->system_prompt = text.value_or("");
  config->system_prompt_source = config->system_prompt_file = path;
}

}  // namespace

std::optional<std::string> read_system_text(const std::string& path) try {
  const std::string text = read_file(path).value_or("");
  (void)json(text).dump();
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
} catch (const json::exception&) {
  return std::nullopt;
}

namespace {

void check_tls(const Config& config, ConfigReport* report) {
  if (config.server.tls_certificate_file.empty() == config.server.tls_key_file.empty()) return;
  report->errors.emplace_back(
      "server.tls_certificate_file and server.tls_key_file go together: one of them is missing");
}

}  // namespace

Config load_config(const ConfigSources& sources, ConfigReport* report) {
  Config config;
  const std::string server_file = sources.config_file.empty() ? find_file("rockllama.json", "") : sources.config_file;
  if (!server_file.empty()) apply_file(server_file, server_fields(), structured_fields(), &config, report);
  const std::string inference_file = find_file("inference_config.json", sources.config_file);
  if (!inference_file.empty()) apply_file(inference_file, inference_fields(), {}, &config, report);
  apply_environment(sources.environment, &config, report);
  apply_structures(sources.environment, &config, report);
  for (const auto& [path, text] : sources.flags) apply_text(path, text, "--" + path, &config, report);
  read_api_keys_file(&config, report);
  check_tls(config, report);
  read_system_prompt(sources.config_file, &config, report);
  return config;
}

}  // namespace rockllama
