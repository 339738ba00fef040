// Reads the members of one JSON object of a settings file by name; every fault is kept with its path. A value type
// over borrowed JSON; one thread.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rockllama {

class MemberReader {
 public:
  // `object` must be a JSON object; it and `faults` outlive the reader. `path` is where it stands:
  // "endpoints./api/code".
  MemberReader(const nlohmann::json& object, std::string path, std::vector<std::string>* faults)
      : object_(object), path_(std::move(path)), faults_(faults) {}

  // Each gives nothing where the member is absent, and keeps a fault where it is of another type.
  std::optional<std::string> text(const std::string& name);
  std::optional<bool> flag(const std::string& name);
  [[nodiscard]] const nlohmann::json* find(const std::string& name) const;

  // A fault for every member that is not among `known` and no remark.
  void refuse_others(std::initializer_list<const char*> known);
  void fault(const std::string& name, const std::string& what);

 private:
  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string>* faults_;
};

// Members that people may put anywhere: notes, description, $schema.
[[nodiscard]] bool is_remark(const std::string& key);

}  // namespace rockllama
