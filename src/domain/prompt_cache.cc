#include "domain/prompt_cache.h"

#include <bit>

namespace rockllama {

size_t content_bytes(const CacheLine& line) {
  size_t bytes = 0;
  for (const CacheContent& content : line) {
    bytes += content.text.size();
    for (const ChatMessage& message : content.messages) bytes += message.content.size();
    for (const ChatTool& tool : content.tools) bytes += tool.description.size() + tool.parameters.size();
  }
  return bytes;
}

StatePoint anchor_of(std::span<const int32_t> tokens) {
  const size_t size = std::bit_floor(tokens.size());
  return {static_cast<uint32_t>(size), hash_tokens(tokens.first(size))};
}

const char* to_string(StateFormat format) { return format == StateFormat::kChat ? "chat" : "raw"; }

const char* to_string(StateStatus status) {
  switch (status) {
    case StateStatus::kReady:
      return "ready";
    case StateStatus::kStale:
      return "stale";
    case StateStatus::kBuilding:
      return "building";
    case StateStatus::kQuarantined:
      return "quarantined";
    case StateStatus::kUnsupported:
      return "unsupported";
  }
  return "unsupported";
}

}  // namespace rockllama
