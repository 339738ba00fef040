// JSON texts in and out, with what a server must watch: depth, UTF-8, numbers that fit.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rockllama::api {

using Json = nlohmann::json;                 // what clients send
using OrderedJson = nlohmann::ordered_json;  // what we answer, in the order that we write it

// The JSON object that is a request's whole body. kInvalidArgument where it is not valid JSON in UTF-8, is nested
// deeper than 64, or is something else than an object.
[[nodiscard]] Result<Json> parse_object(std::string_view body);

// Never throws: bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const OrderedJson& json);
// `text` as a JSON string, with its quotes.
[[nodiscard]] std::string quoted(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

// One server-sent event with `data`, which must be one line.
[[nodiscard]] std::string sse_event(std::string_view data);
// The last event of a stream that ended well.
inline constexpr std::string_view kSseDone = "data: [DONE]\n\n";

}  // namespace rockllama::api
