#include "domain/prompt_cache.h"

namespace rockllama {

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
