#include "api/json_text.h"

#include "base/json_depth.h"

namespace rockllama::api {

Result<Json> parse_object(std::string_view body) {
  if (nested_too_deep(body)) {
    return fail(ErrorCode::kInvalidArgument,
                "the body is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  }
  try {
    Json json = Json::parse(body);
    if (!json.is_object()) return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object");
    return json;
  } catch (const Json::parse_error& error) {
    return fail(ErrorCode::kInvalidArgument,
                "the body is not valid JSON in UTF-8; the fault is at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    return fail(ErrorCode::kInvalidArgument, "the body holds a number that is out of range");
  }
}

std::string to_text(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string quoted(std::string_view text) { return to_text(OrderedJson(text)); }

// Bytes that are not are replaced on their way into JSON.
bool is_utf8(std::string_view text) { return Json::parse(quoted(text)).get_ref<const std::string&>() == text; }

std::string sse_event(std::string_view data) {
  std::string event;
  event.reserve(data.size() + 8);
  return event.append("data: ").append(data).append("\n\n");
}

}  // namespace rockllama::api
