#include "cache/cache_family.h"

#include <algorithm>
#include <set>

namespace rockllama {

std::vector<std::string> children_of(const Family& family, const std::string& name) {
  std::vector<std::string> children;
  for (const auto& [child, kin] : family) {
    if (kin.parent == name && child != name) children.push_back(child);
  }
  return children;
}

// Metadata is anybody's to edit: a circle must end.
std::vector<std::string> descendants_of(const Family& family, const std::string& name) {
  std::vector<std::string> found = children_of(family, name);
  std::set<std::string> seen(found.begin(), found.end());
  seen.insert(name);
  for (size_t i = 0; i < found.size(); ++i) {
    for (std::string& child : children_of(family, found[i])) {
      if (seen.insert(child).second) found.push_back(std::move(child));
    }
  }
  std::reverse(found.begin(), found.end());
  return found;
}

bool is_over(const Family& family, const std::string& name, double now) {
  const auto expired = [&](const std::string& member) {
    const auto found = family.find(member);
    return found != family.end() && has_expired(found->second.expires_at, now);
  };
  if (!expired(name)) return false;
  const std::vector<std::string> descendants = descendants_of(family, name);
  return std::all_of(descendants.begin(), descendants.end(), expired);
}

}  // namespace rockllama
