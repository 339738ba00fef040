// What a prompt cache is, in the words that cache store, service and worker share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "domain/chat.h"

namespace rockllama {

// A state belongs to exactly one rendering of a cache's text.
enum class StateFormat : uint8_t {
  kChat,  // the text as a system message, rendered through the model's chat template up to the border
  kRaw,   // the text as it is
};
[[nodiscard]] const char* to_string(StateFormat format);  // chat, raw

// Which token prefix a state holds: its cells are these tokens at positions 0 to tokens-1.
struct StateKey {
  std::string id;  // names one state file for ever: "<cache>/<format>/<generation>"
  uint32_t tokens = 0;
  Hash128 token_hash;  // hash_tokens over the prefix
  // Where the worker has no tokenizer, `tokens` counts bytes, and this is what the runtime counted; 0 = not known.
  std::optional<uint32_t> counted_tokens{};
  bool operator==(const StateKey&) const = default;
};

// What a cache holds of its own: a text (in chats a system message), or messages and tools.
struct CacheContent {
  std::string text{};
  std::vector<ChatMessage> messages{};  // of a cache of messages; then `text` is empty
  std::vector<ChatTool> tools{};
  [[nodiscard]] bool is_text() const { return messages.empty() && tools.empty(); }
  bool operator==(const CacheContent&) const = default;
};
// A cache with what it continues: its oldest ancestor's content first, its own last. At least one.
using CacheLine = std::vector<CacheContent>;
[[nodiscard]] size_t content_bytes(const CacheLine& line);

// A named cache as `prepare` gets it. The longest one that fits serves.
struct CacheReference {
  std::string name;
  CacheLine line;
  std::optional<StateKey> state{};  // the ready state of the rendering that the request needs
  std::string reason{};             // why there is none, for usage
  bool operator==(const CacheReference&) const = default;
};

// A prefix of a state at which it may be cut.
struct StatePoint {
  uint32_t tokens = 0;
  Hash128 token_hash;  // hash_tokens over them
  bool operator==(const StatePoint&) const = default;
};

// At the largest power of two of tokens: states that a prompt cannot begin with are told from others by few hashes.
[[nodiscard]] StatePoint anchor_of(std::span<const int32_t> tokens);

// A state that exists as a file, as the worker knows it: requests that begin with its tokens find it by themselves.
struct KnownState {
  std::string name{};  // of the named cache; empty = automatic
  StateFormat format = StateFormat::kChat;
  StateKey key;
  StatePoint anchor{};               // of its tokens; none = not known
  std::vector<uint32_t> cuts{};      // ends of the blocks that it was prefilled in
  std::vector<StatePoint> points{};  // where it serves besides its end; ascending
  Hash128 salt{};                    // of the callers that it is for; zero = for all
  bool operator==(const KnownState&) const = default;
};

// What a worker reports of a state that it wrote into the descriptor it was given.
struct SavedState {
  uint32_t tokens = 0;
  Hash128 token_hash;
  StatePoint anchor{};           // of the tokens
  uint64_t bytes = 0;            // of the payload
  std::vector<uint32_t> cuts{};  // ends of the blocks that the prefix was prefilled in, ascending, last = tokens
  double prefill_ms = 0;
  double first_token_ms = 0;  // from the start of the prefill to the first sampled token
  std::string note{};         // what a person should know of the border ("the template folds the text ...")
  std::optional<uint32_t> counted_tokens{};  // as in StateKey
  bool operator==(const SavedState&) const = default;
};

enum class StateStatus : uint8_t { kReady, kStale, kBuilding, kQuarantined, kUnsupported };
[[nodiscard]] const char* to_string(StateStatus status);  // ready, stale, building, quarantined, unsupported

// One state file of a cache, as people see it.
struct StateInfo {
  std::string engine;  // llama.cpp, rkllm
  StateFormat format = StateFormat::kChat;
  uint64_t size_bytes = 0;
  uint32_t tokens = 0;
  double created_at = 0;   // Unix seconds
  double modified_at = 0;  // Unix seconds
  StateStatus status = StateStatus::kReady;
  std::string reason{};  // why it is not ready
};

// A cache, as people see it: the `info` of the API.
struct CacheInfo {
  std::string cache_name;
  std::string model_name;
  double created_at = 0;  // Unix seconds, like all times here
  double modified_at = 0;
  double last_used_at = 0;  // 0 = never
  uint64_t hits = 0;
  uint64_t content_length = 0;  // characters
  uint32_t prompt_tokens = 0;   // of the first state with a count; 0 = not known yet
  uint64_t size_bytes = 0;      // text and states
  std::string source;           // api, startup, import, automatic, or the text file's path
  bool has_text = false;
  bool has_binary = false;  // a ready state
  std::vector<StateInfo> binary{};
  std::string parent{};  // empty = none
  bool pinned = false;
  double expires_at = 0;  // 0 = never
};

}  // namespace rockllama
