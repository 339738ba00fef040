#include "api/answer_check.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "base/json_depth.h"

namespace rockllama::api {
namespace {

static_assert(VALIJSON_USE_EXCEPTIONS, "else the library ends the process where a schema is bad");

constexpr const char* kField = "response_format";
constexpr size_t kMaxNodes = 10000;  // of a schema whose references are written out
constexpr int kMaxDepth = 64;
constexpr std::string_view kFence = "```";
constexpr std::string_view kSpace = " \t\r\n";

constexpr std::array<std::string_view, 10> kKept = {"type",     "enum",      "const",     "required", "minItems",
                                                    "maxItems", "minLength", "maxLength", "minimum",  "maximum"};
constexpr std::array<std::string_view, 3> kLists = {"oneOf", "anyOf", "allOf"};

template <size_t N>
bool is_among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Writes out references. Throws std::exception where a reference leads nowhere, or the schema never ends.
class SchemaPlainer {
 public:
  explicit SchemaPlainer(const Json& root) : root_(root) {}

  // Not recursive without end: every step counts.
  Json plain(const Json& schema, int depth) {
    if (++nodes_ > kMaxNodes || depth > kMaxDepth) throw std::length_error("it refers to itself, or is too large");
    if (!schema.is_object()) return schema;
    const auto reference = schema.find("$ref");
    if (reference != schema.end()) return plain(target(*reference), depth + 1);
    Json result = Json::object();
    for (const auto& [name, value] : schema.items()) add(name, value, depth, &result);
    add_items(schema, depth, &result);
    return result;
  }

 private:
  const Json& target(const Json& reference) const {
    const auto& text = reference.get_ref<const std::string&>();
    if (!text.starts_with('#')) throw std::invalid_argument("it refers to " + text);
    return root_.at(Json::json_pointer(text.substr(1)));
  }

  Json plain_each(const Json& values, int depth) {
    Json result = values;
    for (Json& value : result) value = plain(value, depth + 1);
    return result;
  }

  void add(const std::string& name, const Json& value, int depth, Json* result) {
    if (is_among(kKept, name)) {
      (*result)[name] = value;
    } else if (is_among(kLists, name) || name == "properties") {
      (*result)[name] = plain_each(value, depth);
    } else if (name == "additionalProperties") {
      (*result)[name] = plain(value, depth + 1);
    }
  }

  // In draft 7 the first items, each with a schema of its own, have the name of the others.
  void add_items(const Json& schema, int depth, Json* result) {
    const auto first = schema.find("prefixItems");
    const auto others = schema.find("items");
    if (first != schema.end()) {
      (*result)["items"] = plain_each(*first, depth);
      if (others != schema.end()) (*result)["additionalItems"] = plain(*others, depth + 1);
    } else if (others != schema.end() && others->is_boolean()) {
      (*result)["items"] = Json::array();
      (*result)["additionalItems"] = *others;
    } else if (others != schema.end()) {
      (*result)["items"] = others->is_array() ? plain_each(*others, depth) : plain(*others, depth + 1);
    }
  }

  const Json& root_;
  size_t nodes_ = 0;
};

std::string first_problem(const valijson::ValidationResults& results) {
  if (results.numErrors() == 0) return "it is not as the schema says";
  // The first is the innermost: what is wrong, not where that belongs to.
  const auto& error = *results.begin();
  std::string place;
  for (const std::string& step : error.context) place += step == "<root>" ? "" : step;
  return (place.empty() ? "" : place + ": ") + error.description;
}

Result<std::string> check(const valijson::Schema& schema, const std::string& answer) try {
  const std::string text = without_fence(answer);
  if (nested_too_deep(text)) return fail(ErrorCode::kInvalidArgument, "it is nested too deep");
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail(ErrorCode::kInvalidArgument, "it is no JSON");
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(json), &results)) return text;
  return fail(ErrorCode::kInvalidArgument, first_problem(results));
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("it cannot be checked: ") + error.what());
}

}  // namespace

std::string without_fence(const std::string& answer) {
  const auto trimmed = [](std::string_view text) {
    const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
    return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  };
  std::string_view text = trimmed(answer);
  const size_t line_end = text.find('\n');
  const bool fenced = text.starts_with(kFence) && text.ends_with(kFence) && line_end != std::string_view::npos;
  if (!fenced) return std::string(text);
  return std::string(trimmed(text.substr(line_end, text.size() - kFence.size() - line_end)));
}

Result<Json> plain_schema(const Json& schema) try {
  return SchemaPlainer(schema).plain(schema, 0);
} catch (const std::exception& error) {
  return fail(
      ErrorCode::kUnsupported,
      std::string("this model's engine cannot be held to a schema, and this one cannot be checked: ") + error.what(),
      kField);
}

Result<AnswerCheck> make_answer_check(const std::string& schema) try {
  const auto plain = plain_schema(Json::parse(schema));
  if (!plain) return fail(plain.error());
  const auto parsed = std::make_shared<valijson::Schema>();
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*plain), *parsed);
  return AnswerCheck([parsed](const std::string& answer) { return check(*parsed, answer); });
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("the schema is none: ") + error.what(), kField);
}

}  // namespace rockllama::api
