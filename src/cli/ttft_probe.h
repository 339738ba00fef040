// Measures one streamed chat from outside, as a client sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/http_client.h"

namespace rockllama {

struct TtftQuestion {
  std::string model;
  std::string system{};     // system message; empty = none
  std::string use_cache{};  // name; empty = none, and nothing else is reused either
  std::string question = "What should a guest know first?";
};

enum class Reuse : uint8_t {
  kNo,
  kYes,
  kUnverified,  // a state was loaded, and the runtime gives no count that would show its use
};

struct TtftSample {
  double ttft_ms = 0;  // from sending the request to the first piece of the answer
  uint32_t prompt_tokens = 0;
  Reuse reuse = Reuse::kNo;
};

// Reads server-sent events piece by piece; the pieces may be cut anywhere. Pure.
class ChatStreamReader {
 public:
  // Whether the answer's first text has come, with this piece or before.
  bool read(std::string_view piece);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] uint32_t prompt_tokens() const { return prompt_tokens_; }
  [[nodiscard]] Reuse reuse() const { return reuse_; }

 private:
  void read_line(std::string_view line);

  std::string rest_{};
  std::string error_{};
  bool has_text_ = false;
  bool done_ = false;
  uint32_t prompt_tokens_ = 0;
  Reuse reuse_ = Reuse::kNo;
};

// Fails when the request does, or when its stream ends before its time.
[[nodiscard]] Result<TtftSample> measure_ttft(http::HttpClient client, const TtftQuestion& question);

}  // namespace rockllama
