// What a generation is, in the words that server and worker share: the request, its events, its usage.
// Plain values; no thread, no effect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "domain/chat.h"
#include "domain/prompt_cache.h"

namespace rockllama {

using RequestId = uint64_t;  // unique within one server process

// Rendered through the model's chat template by the worker.
struct ChatPrompt {
  std::vector<ChatMessage> messages;
  bool enable_thinking = false;
  std::vector<ChatTool> tools{};
  ToolChoice tool_choice = ToolChoice::kAuto;
  std::string required_tool{};                // the one that kRequired means; empty = any
  std::optional<bool> parallel_tool_calls{};  // several calls in one answer; unset = where the template can
  std::string answer_schema{};                // JSON schema that the answer has to follow; empty = any text
  std::vector<std::pair<std::string, std::string>> template_arguments{};  // names, and values as JSON
  bool operator==(const ChatPrompt&) const = default;
};

// Raw text; the cache's text, if any, stands directly before it.
struct TextPrompt {
  std::string text;
  std::vector<int32_t> tokens{};  // instead of a text; taken as they are
  std::string suffix{};           // what comes behind the answer, for models that can fill in; empty = nothing
  bool echo = false;              // the answer begins with the prompt's own text
  bool operator==(const TextPrompt&) const = default;
};

using Prompt = std::variant<ChatPrompt, TextPrompt>;

// An unset field means: what the next source says (request, then model.json, then inference_config.json, then the
// engine's own default). Ranges are checked where a value enters (api, config), not again below.
struct SamplingParams {
  std::optional<float> temperature{};        // 0 = greedy, up to 2
  std::optional<float> top_p{};              // 0 to 1
  std::optional<int32_t> top_k{};            // 0 = off
  std::optional<float> min_p{};              // 0 to 1
  std::optional<float> repeat_penalty{};     // 1 = off
  std::optional<float> frequency_penalty{};  // -2 to 2
  std::optional<float> presence_penalty{};   // -2 to 2
  std::optional<int32_t> mirostat{};         // 0, 1, 2
  std::optional<float> mirostat_tau{};
  std::optional<float> mirostat_eta{};
  std::optional<uint32_t> seed{};  // unset = a random one per request
  std::vector<std::pair<int32_t, float>> logit_bias{};
  bool operator==(const SamplingParams&) const = default;
};

// As requests call them.
[[nodiscard]] std::vector<std::string> sampling_field_names();
// Fields of `params` that are set and not as in `other`.
[[nodiscard]] std::vector<std::string> differing_fields(const SamplingParams& params, const SamplingParams& other);

// Every field of `first` that is set, else the one of `then`.
[[nodiscard]] SamplingParams merged(const SamplingParams& first, const SamplingParams& then);

// What `cache_prompt` allows: everything, only what keeps every bit, nothing.
enum class ReusePolicy : uint8_t { kAll, kExact, kNone };

struct GenerationOptions {
  SamplingParams sampling{};
  int32_t max_tokens = -1;  // -1 = up to the context limit
  std::vector<std::string> stop{};
  ReusePolicy reuse = ReusePolicy::kAll;
  std::optional<uint32_t> top_logprobs{};  // likeliest tokens to tell beside each token's own; unset = no logprobs
  bool operator==(const GenerationOptions&) const = default;
};

struct TokenLogprob {
  std::string piece;  // the token's bytes; may end inside a UTF-8 character
  float logprob = 0;  // natural logarithm of its probability, as the model gave it, before sampling; never infinite
  bool operator==(const TokenLogprob&) const = default;
};

// A token of an answer, and the likeliest ones in its place, the best first.
struct TokenLogprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top{};
  bool operator==(const TokenLogprobs&) const = default;
};

// A part of a tool call, in the order in which it is written. The id and the whole name come with the first part.
struct ToolCallDelta {
  uint32_t index = 0;  // of the call in its answer
  std::string id{};
  std::string name{};
  std::string arguments{};
  bool operator==(const ToolCallDelta&) const = default;
};

// A part of an answer: whole UTF-8 characters. May be empty.
struct AnswerPiece {
  std::string text{};
  std::string reasoning{};
  std::vector<ToolCallDelta> tool_calls{};
  std::vector<TokenLogprobs> logprobs{};  // of the tokens that it completes, where they were asked for
  bool operator==(const AnswerPiece&) const = default;
  [[nodiscard]] bool says_nothing() const { return *this == AnswerPiece{}; }
};

enum class FinishReason : uint8_t { kStop, kLength, kToolCalls };

// Where the reused prefix came from.
enum class CacheTier : uint8_t { kNone, kText, kDisk, kMemory, kResident };
[[nodiscard]] const char* to_string(CacheTier tier);  // none, text, disk, memory, resident

// What became of the prompt cache in one request.
struct CacheUse {
  std::string name{};                 // of the named cache that the request resolved to; may be empty
  CacheTier tier = CacheTier::kNone;  // kText: the cache's text served, its state did not; kMemory: an automatic one
  uint32_t tokens = 0;                // prompt tokens that were not prefilled
  double restore_ms = 0;              // time to put the state into the KV buffer
  std::string state_of{};             // the cache whose state served, where `name` only continues that one
  std::string reason{};               // why no state, or not all of it, was reused; empty on a full hit
  bool provisional = false;           // only the end of the run shows what was reused
  bool state_refused = false;         // the state's file is not what it should be: it must be made again
  bool operator==(const CacheUse&) const = default;
};

// Whether KV state was really reused.
[[nodiscard]] bool reused(const CacheUse& use);

struct Usage {
  uint32_t prompt_tokens = 0;
  uint32_t completion_tokens = 0;
  double prefill_ms = 0;
  double decode_ms = 0;  // from the first token to the last
  bool operator==(const Usage&) const = default;
};

}  // namespace rockllama
