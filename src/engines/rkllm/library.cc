#include "engines/rkllm/library.h"

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "domain/runtime_version.h"
#include "engines/rkllm/default_param.h"
#include "engines/rkllm/version_decision.h"

namespace rockllama::rkllm {
namespace {

constexpr const char* kFileName = "librkllmrt.so";

struct Place {
  std::string file;  // without a slash: the loader searches
  std::string found_by;
};

Place place_of(const LibraryOptions& options) {
  const auto file_in = [](const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored) ? path + "/" + kFileName : path;
  };
  if (!options.path.empty()) return {file_in(options.path), "configuration"};
  const char* variable = std::getenv("RKLLM_LIB_PATH");
  if (variable != nullptr && *variable != '\0') return {file_in(variable), "RKLLM_LIB_PATH"};
  return {kFileName, "the loader's search"};
}

std::string file_of(void* handle) {
  const link_map* map = nullptr;
  return ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr ? map->l_name : "";
}

std::set<std::string> versions_in_file(const std::string& path) {
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return versions_in(bytes.view());
}

SeenLibrary look_at(void* handle, const std::string& path, const std::string& forced_version) {
  SeenLibrary seen{.forced_version = forced_version, .versions = versions_in_file(path)};
  for (const AbiGroup group : kAbiGroups) {
    for (const std::string& function : functions_of(group)) {
      if (::dlsym(handle, function.c_str()) != nullptr) seen.functions.insert(function);
    }
  }
  void* defaults = ::dlsym(handle, "rkllm_createDefaultParam");
  if (defaults != nullptr) seen.defaults = call_create_default_param(defaults);
  return seen;
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::open(const LibraryOptions& options) {
  const Place place = place_of(options);
  void* handle = ::dlopen(place.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorCode::kNotFound, "librkllmrt.so cannot be opened (named by " + place.found_by +
                                          "): " + (why != nullptr ? why : "no reason given"));
  }
  LibraryInfo info{.path = file_of(handle), .found_by = place.found_by};
  auto decision = decide_version(look_at(handle, info.path, options.forced_version));
  if (!decision) return fail(decision.error());
  info.version = decision->version;
  info.group = decision->group;
  info.warnings = std::move(decision->warnings);
  return std::make_shared<const Library>(std::move(info), handle);
}

}  // namespace rockllama::rkllm
