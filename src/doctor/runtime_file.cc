#include "doctor/runtime_file.h"

#include <array>
#include <fstream>
#include <vector>

#include "doctor/small_files.h"

namespace rockllama::doctor {
namespace {

constexpr std::string_view kName = "librkllmrt.so";
constexpr size_t kLargestLoaderCache = 16 << 20;
constexpr size_t kPieceBytes = 1 << 20;
constexpr size_t kLongestMark = 128;  // that may lie across two pieces

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

std::string version_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string window;
  std::string piece(kPieceBytes, '\0');
  while (file.read(piece.data(), kPieceBytes), file.gcount() > 0) {
    window.append(piece, 0, static_cast<size_t>(file.gcount()));
    if (std::string version = runtime_version_in(window); !version.empty()) return version;
    if (window.size() > kLongestMark) window.erase(0, window.size() - kLongestMark);
  }
  return "";
}

RuntimeFile read_runtime(const std::string& root, const Place& place) {
  RuntimeFile runtime{.path = place.path, .origin = place.origin};
  runtime.exists = read_start(root + place.path, 1).has_value();
  if (runtime.exists) runtime.version = version_of(root + place.path);
  return runtime;
}

}  // namespace

std::string runtime_version_in(std::string_view bytes) {
  constexpr std::array<std::string_view, 2> kMarks = {"RKLLM SDK (version: ", "rkllm-runtime version: "};
  for (const std::string_view mark : kMarks) {
    for (size_t at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
      const std::string_view rest = bytes.substr(at + mark.size());
      const std::string_view version = rest.substr(0, rest.find_first_not_of("0123456789.b"));
      if (!version.empty()) return std::string(version);
    }
  }
  return "";
}

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
