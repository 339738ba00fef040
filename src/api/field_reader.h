// Reads the fields of one JSON object by name. The first fault is kept with the path of its field; JSON null is the
// same as an absent field. A value type over borrowed JSON; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/json_text.h"

namespace rockllama::api {

struct Range {
  double min;
  double max;
  bool without_min = false;  // the smallest value is not allowed itself
};

class FieldReader {
 public:
  // `object` must be a JSON object and outlive the reader; `path` is put before the names of its fields.
  explicit FieldReader(const Json& object, std::string path = {}) : object_(object), path_(std::move(path)) {}

  // Each gives nothing where the field is absent, and keeps a fault where it is of another type or out of range.
  std::optional<std::string> string(const std::string& name);
  std::optional<bool> boolean(const std::string& name);
  std::optional<float> number(const std::string& name, Range range);
  // Numbers without a fraction; beyond the range is a fault.
  std::optional<int32_t> integer(const std::string& name, Range range);
  const Json* list(const std::string& name);
  const Json* object(const std::string& name);
  // Reads each object of `list`, which is what `name` holds, up to the first fault; other values are one.
  void each_object(const std::string& name, const Json& list, const std::function<void(FieldReader*)>& read);
  // Any type; null where the field is absent.
  [[nodiscard]] const Json* find(const std::string& name) const;

  // Of the object itself.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(const std::string& name) const;
  // Keeps the fault, unless there is one.
  void fault(ErrorCode code, const std::string& message, const std::string& param);
  void fault(Error error);
  // "<path> <what>": "temperature must be ..."
  void bad(const std::string& name, const std::string& what);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::string path_;
  std::optional<Error> error_;
};

}  // namespace rockllama::api
