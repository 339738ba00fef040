#include "cli/ttft_probe.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace rockllama {
namespace {

using nlohmann::json;

constexpr std::string_view kData = "data: ";
constexpr int kAnswerTokens = 4;

std::string request_body(const TtftQuestion& question) {
  json messages = json::array();
  if (!question.system.empty()) messages.push_back({{"role", "system"}, {"content", question.system}});
  messages.push_back({{"role", "user"}, {"content", question.question}});
  json body = {{"model", question.model},
               {"messages", std::move(messages)},
               {"max_tokens", kAnswerTokens},
               {"temperature", 0},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  if (question.use_cache.empty()) {
    body["cache_prompt"] = false;
  } else {
    body["use_cache"] = question.use_cache;
  }
  return body.dump();
}

std::string content_of(const json& chunk) {
  const json::json_pointer place("/choices/0/delta/content");
  return chunk.contains(place) && chunk[place].is_string() ? chunk[place].get<std::string>() : std::string();
}

Reuse reuse_of(const json& usage) {
  if (usage.value("cache_hit", false)) return Reuse::kYes;
  const json reason = usage.value(json::json_pointer("/cache/reason"), json());
  const bool unverified = reason.is_string() && reason.get<std::string>().starts_with("unverified");
  return unverified ? Reuse::kUnverified : Reuse::kNo;
}

}  // namespace

bool ChatStreamReader::read(std::string_view piece) {
  rest_ += piece;
  size_t begin = 0;
  for (size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    read_line(std::string_view(rest_).substr(begin, end - begin));
  }
  rest_.erase(0, begin);
  return has_text_;
}

void ChatStreamReader::read_line(std::string_view line) {
  if (!line.starts_with(kData)) return;
  line.remove_prefix(kData.size());
  if (line.starts_with("[DONE]")) {
    done_ = true;
    return;
  }
  const json chunk = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (chunk.is_discarded() || !chunk.is_object() || chunk.contains("error")) {
    error_ = line;
    return;
  }
  if (!content_of(chunk).empty()) has_text_ = true;
  const auto usage = chunk.find("usage");
  if (usage == chunk.end() || !usage->is_object()) return;
  prompt_tokens_ = usage->value("prompt_tokens", 0U);
  reuse_ = reuse_of(*usage);
}

Result<TtftSample> measure_ttft(http::HttpClient client, const TtftQuestion& question) {
  ChatStreamReader reader;
  TtftSample sample;
  const std::string body = request_body(question);
  const double began = steady_ms();
  const auto answer = client.stream("POST", "/v1/chat/completions", body, [&](std::string_view piece) {
    if (reader.read(piece) && sample.ttft_ms == 0) sample.ttft_ms = steady_ms() - began;
    return true;
  });
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != 200) return fail(ErrorCode::kInternal, "the request failed: " + answer->body);
  if (!reader.error().empty()) return fail(ErrorCode::kInternal, "the stream failed: " + reader.error());
  if (!reader.done() || sample.ttft_ms == 0) return fail(ErrorCode::kInternal, "the stream ended without an answer");
  sample.prompt_tokens = reader.prompt_tokens();
  sample.reuse = reader.reuse();
  return sample;
}

}  // namespace rockllama
