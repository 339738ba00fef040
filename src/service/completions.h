// The flow of a completion: model and caches are found, the model is loaded if need be, the prompt is prepared, the
// state is verified and opened, the generation runs, its events come back. Dialects call it and only translate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "domain/generation.h"

namespace rockllama {

// Of a whole answer: what is told of it, or why it is not what was asked for.
using AnswerCheck = std::function<Result<std::string>(const std::string& answer)>;

struct CompletionRequest {
  std::string request_id{};  // x-request-id
  std::string caller{};      // API key name or address, for fairness and the log
  std::string prefix_key{};  // prompt_cache_key: the caller's waiting requests of one key are run after each other
  Hash128 salt{};            // of the API key: automatic reuse stays within it; zero = no keys
  std::string model{};       // as the client wrote it: empty, a name, or name@cache
  Prompt prompt;
  GenerationOptions options{};
  std::vector<std::string> use_cache{};  // in the order of the request
  std::string use_cache_problem{};       // why the request's use_cache was not understood; empty = fine
  // For engines that cannot be held to the chat's answer_schema. Fails where that cannot be checked either.
  std::function<Result<AnswerCheck>()> make_answer_check{};
  // The client gets nothing before the end: the request may begin anew after text came.
  bool buffered = false;
  bool only_count = false;  // the prompt is prepared, caches included, and not run
};

// The response may begin: the prefix is in place and prefill begins. Comes again when the request is run again; what
// came before it does not count then (a request that is not buffered had no text).
struct CompletionStarted {
  std::string model;
  CacheUse cache;
  uint32_t prompt_tokens = 0;
  std::string fingerprint{};  // of the model and its engine: what decides the answer's bits beside the request
  bool operator==(const CompletionStarted&) const = default;
};
// Still queued or in prefill; nothing but a sign of life.
struct CompletionProgress {
  uint32_t done_tokens = 0;
  uint32_t total_tokens = 0;
};
struct CompletionText {
  AnswerPiece piece;
  uint32_t tokens = 0;
};
struct CompletionDone {
  FinishReason reason = FinishReason::kStop;
  std::string model;
  Usage usage;
  CacheUse cache;
  std::vector<std::string> warnings{};  // what the client asked for and did not get
  double ttft_ms = 0;                   // from the call of run() to the first text
  double total_ms = 0;
  double tokens_per_second = 0;  // while decoding
};
struct CompletionCounted {  // of a request with only_count
  std::string model;
  uint32_t prompt_tokens = 0;
};
using CompletionEvent =
    std::variant<CompletionStarted, CompletionProgress, CompletionText, CompletionDone, CompletionCounted, Error>;
// Called on threads of the service, one call at a time per request. CompletionDone, CompletionCounted or Error is the
// last.
using CompletionSink = std::function<void(const CompletionEvent&)>;

struct ServiceContext;  // what all services share; see service/context.h

class Completions {
 public:
  explicit Completions(ServiceContext* context) : context_(context) {}

  // A handle on a running request. Copies mean the same request; none of them keeps it alive.
  class Handle {
   public:
    void cancel() const;                     // any thread; the sink gets Error{kCancelled} unless it ended before
    void add_credit(uint32_t tokens) const;  // the client took that many tokens' text
   private:
    friend class Completions;
    std::weak_ptr<struct CompletionFlow> flow_;
  };
  // `credit`: tokens that may come before add_credit. Never blocks.
  Handle run(CompletionRequest request, uint32_t credit, CompletionSink sink);

 private:
  ServiceContext* context_;
};

}  // namespace rockllama
