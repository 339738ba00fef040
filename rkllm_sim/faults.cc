#include "rkllm_sim/faults.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "rkllm_sim/log.h"

namespace rkllm_sim {
namespace {

constexpr std::string_view kOnce = "once ";

// Writes the file anew without its line `once LINE`, in one step for whoever reads it meanwhile.
void remove_line(const std::string& path, const std::string& line) {
  std::ifstream in(path);
  const std::string fresh = path + "." + std::to_string(::getpid());
  std::ofstream out(fresh);
  for (std::string each; std::getline(in, each);) {
    if (each != std::string(kOnce) + line) out << each << "\n";
  }
  out.close();
  std::rename(fresh.c_str(), path.c_str());
}

}  // namespace

Faults Faults::read() {
  const char* path = std::getenv("ROCKLLAMA_SIM_FAULTS");
  if (!path) return {};
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return parse(text.str(), path);
}

Faults Faults::parse(std::string_view text, std::string path) {
  Faults faults;
  faults.path_ = std::move(path);
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const bool once = line.starts_with(kOnce);
    faults.lines_.emplace(once ? line.substr(kOnce.size()) : line, once);
  }
  return faults;
}

bool Faults::has(const std::string& line) const { return lines_.contains(line); }

std::optional<std::string> Faults::value(const std::string& name) const {
  const std::string start = name + " ";
  const auto found = lines_.lower_bound(start);
  if (found == lines_.end() || !found->first.starts_with(start)) return std::nullopt;
  return found->first.substr(start.size());
}

int Faults::number(const std::string& name, int absent) const {
  const auto text = value(name);
  return text ? std::atoi(text->c_str()) : absent;
}

bool Faults::take(const std::string& line) {
  const auto found = lines_.find(line);
  if (found == lines_.end()) return false;
  if (found->second && !path_.empty()) remove_line(path_, line);
  return true;
}

void Faults::strike(const std::string& call) {
  if (take("segfault " + call)) crash();
  if (take("hang " + call)) hang();
}

void hang() {
  for (;;) ::sleep(3600);
}

}  // namespace rkllm_sim
