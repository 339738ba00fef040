#include "config/member_reader.h"

#include <algorithm>

namespace rockllama {

using nlohmann::json;

std::optional<std::string> MemberReader::text(const std::string& name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fault(name, "must be a text");
  return std::nullopt;
}

std::optional<bool> MemberReader::flag(const std::string& name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  fault(name, "must be true or false");
  return std::nullopt;
}

const json* MemberReader::find(const std::string& name) const {
  const auto member = object_.find(name);
  return member == object_.end() ? nullptr : &*member;
}

void MemberReader::refuse_others(std::initializer_list<const char*> known) {
  for (const auto& item : object_.items()) {
    const std::string& key = item.key();
    if (!is_remark(key) && std::find(known.begin(), known.end(), key) == known.end()) fault(key, "unknown key");
  }
}

void MemberReader::fault(const std::string& name, const std::string& what) {
  faults_->push_back(path_ + "." + name + ": " + what);
}

bool is_remark(const std::string& key) { return key == "notes" || key == "description" || key == "$schema"; }

}  // namespace rockllama
