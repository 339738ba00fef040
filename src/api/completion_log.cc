#include "api/completion_log.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <string_view>

#include "api/errors.h"
#include "base/one_line.h"

namespace rockllama::api {
namespace {

constexpr size_t kMaxShownBytes = 200;

std::string shown(std::string_view text) {
  return text.empty() ? "-" : one_line(std::string(text.substr(0, kMaxShownBytes)));
}

std::string cache_text(const CacheUse& cache) {
  std::string text = shown(cache.name) + (reused(cache) ? std::string(" hit ") + to_string(cache.tier) : " no hit");
  if (!cache.reason.empty()) text += " (" + shown(cache.reason) + ")";
  return text;
}

}  // namespace

std::string caller_of(const http::Request& request) {
  return request.caller.empty() ? request.remote_address : request.caller;
}

std::string log_line(const CompletionLog& log) {
  std::string line = fmt::format(
      "request {} caller={} model={} cache={} prompt={} cached={} completion={} ttft={:.1f} ms total={:.1f} ms "
      "tokens/s={:.1f} status={}",
      shown(log.request_id), shown(log.caller), shown(log.model), cache_text(log.cache), log.prompt_tokens,
      reused(log.cache) ? log.cache.tokens : 0, log.completion_tokens, log.ttft_ms, log.total_ms, log.tokens_per_second,
      log.status);
  if (!log.error.empty()) line += " error: " + shown(log.error);
  return line;
}

void respond_logged(CompletionLog log, const Result<OrderedJson>& body, http::BodyWriter& writer) {
  if (body) {
    respond_json(writer, *body);
  } else {
    log.status = status_of(body.error().code);
    log.error = body.error().message;
    respond_error(writer, body.error());
  }
  spdlog::info(log_line(log));
}

}  // namespace rockllama::api
