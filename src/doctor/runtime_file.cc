#include "doctor/runtime_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "doctor/small_files.h"
#include "domain/runtime_version.h"

namespace rockllama::doctor {
namespace {

constexpr std::string_view kName = "librkllmrt.so";
constexpr size_t kLargestLoaderCache = 16 << 20;

struct Place {
  std::string path;
  std::string origin;
};

std::string variable(const MachineSources& sources, const char* name) {
  const auto found = sources.environment.find(name);
  return found == sources.environment.end() ? "" : found->second;
}

// RKLLM_LIB_PATH may name the file or its folder.
std::string file_at(const std::string& root, const std::string& path) {
  const std::string inside = path + "/" + std::string(kName);
  return exists(root + inside) ? inside : path;
}

void add_library_path(const MachineSources& sources, std::vector<Place>* places) {
  const std::string list = variable(sources, "LD_LIBRARY_PATH");
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) {
      places->push_back({list.substr(begin, end - begin) + "/" + std::string(kName), "LD_LIBRARY_PATH"});
    }
    begin = end + 1;
  }
}

// The loader's cache holds its paths as strings, a NUL around each.
void add_loader_cache(const MachineSources& sources, std::vector<Place>* places) {
  const std::string bytes = read_start(sources.root + "/etc/ld.so.cache", kLargestLoaderCache).value_or("");
  const std::string ending = "/" + std::string(kName) + std::string(1, '\0');
  const size_t end = bytes.find(ending);
  if (end == std::string::npos) return;
  const size_t before = bytes.rfind('\0', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  places->push_back({bytes.substr(begin, end - begin) + "/" + std::string(kName), "the loader's cache"});
}

// All of them where there are several, which no worker would take.
std::string version_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::string text;
  for (const std::string& version : versions_in(bytes)) text += (text.empty() ? "" : " and ") + version;
  return text;
}

RuntimeFile read_runtime(const std::string& root, const Place& place) {
  RuntimeFile runtime{.path = place.path, .origin = place.origin};
  runtime.exists = read_start(root + place.path, 1).has_value();
  if (runtime.exists) runtime.version = version_of(root + place.path);
  return runtime;
}

}  // namespace

std::optional<RuntimeFile> find_runtime(const MachineSources& sources) {
  const std::string& root = sources.root;
  if (!sources.runtime_setting.empty()) {
    return read_runtime(root, {file_at(root, sources.runtime_setting), "the setting rkllm.library"});
  }
  if (const std::string named = variable(sources, "RKLLM_LIB_PATH"); !named.empty()) {
    return read_runtime(root, {file_at(root, named), "RKLLM_LIB_PATH"});
  }
  std::vector<Place> places;
  add_library_path(sources, &places);
  add_loader_cache(sources, &places);
  for (const char* folder : {"/lib/aarch64-linux-gnu/", "/usr/lib/aarch64-linux-gnu/", "/lib/", "/usr/lib/"}) {
    places.push_back({folder + std::string(kName), "the loader's folders"});
  }
  for (const Place& place : places) {
    if (RuntimeFile runtime = read_runtime(root, place); runtime.exists) return runtime;
  }
  return std::nullopt;
}

}  // namespace rockllama::doctor
