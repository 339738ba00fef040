#include "api/field_reader.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace rockllama::api {
namespace {

std::string number_text(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string range_text(const Range& range) {
  return (range.without_min ? "above " : "from ") + number_text(range.min) + " to " + number_text(range.max);
}

bool fits(double value, const Range& range) {
  return (range.without_min ? value > range.min : value >= range.min) && value <= range.max;
}

}  // namespace

const Json* FieldReader::find(const std::string& name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> FieldReader::string(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  bad(name, "must be a string");
  return std::nullopt;
}

std::optional<bool> FieldReader::boolean(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  bad(name, "must be true or false");
  return std::nullopt;
}

std::optional<float> FieldReader::number(const std::string& name, Range range) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number() && fits(value->get<double>(), range)) return static_cast<float>(value->get<double>());
  bad(name, "must be a number " + range_text(range));
  return std::nullopt;
}

std::optional<int32_t> FieldReader::integer(const std::string& name, Range range) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (std::trunc(number) == number && fits(number, range)) return static_cast<int32_t>(number);
  }
  bad(name, "must be an integer " + range_text(range));
  return std::nullopt;
}

const Json* FieldReader::list(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr || value->is_array()) return value;
  bad(name, "must be a list");
  return nullptr;
}

const Json* FieldReader::object(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr || value->is_object()) return value;
  bad(name, "must be an object");
  return nullptr;
}

void FieldReader::each_object(const std::string& name, const Json& list,
                              const std::function<void(FieldReader*)>& read) {
  for (size_t i = 0; i < list.size() && !error_; ++i) {
    const std::string path = path_of(name) + "[" + std::to_string(i) + "]";
    if (!list[i].is_object()) return fault(ErrorCode::kInvalidArgument, path + " must be an object", path);
    FieldReader reader(list[i], path);
    read(&reader);
    if (reader.error()) fault(*reader.error());
  }
}

std::string FieldReader::path_of(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

void FieldReader::fault(ErrorCode code, const std::string& message, const std::string& param) {
  fault(Error{code, message, param});
}

void FieldReader::fault(Error error) {
  if (!error_) error_ = std::move(error);
}

void FieldReader::bad(const std::string& name, const std::string& what) {
  const std::string path = path_of(name);
  fault(ErrorCode::kInvalidArgument, path + " " + what, path);
}

}  // namespace rockllama::api
