// The API's JSON as text for people, and other small pieces of talking to it. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/http_client.h"

namespace rockllama {

using ApiJson = nlohmann::ordered_json;

// A field or nothing, whatever `json` is.
[[nodiscard]] std::string text_field(const ApiJson& json, const char* name);
[[nodiscard]] double number_field(const ApiJson& json, const char* name);
[[nodiscard]] bool flag_field(const ApiJson& json, const char* name);
[[nodiscard]] std::vector<ApiJson> list_field(const ApiJson& json, const char* name);

// The JSON of a 200; else kIo with the server's own words.
[[nodiscard]] Result<ApiJson> answer_json(const Result<http::ClientResponse>& response);
// What an object {"error": {"message"}} says; empty where it is none.
[[nodiscard]] std::string error_words(const ApiJson& json);
// One segment of a path or a value of a query.
[[nodiscard]] std::string percent_encoded(const std::string& text);

// `infos` of several models; `now` in Unix seconds.
[[nodiscard]] std::string caches_text(const std::vector<ApiJson>& infos, double now);
[[nodiscard]] std::string cache_text(const ApiJson& info, double now);
[[nodiscard]] std::string models_text(const std::vector<ApiJson>& models);

}  // namespace rockllama
