#include "domain/model.h"

namespace rockllama {

const char* to_string(EngineKind kind) {
  switch (kind) {
    case EngineKind::kLlamaCpp:
      return "llama.cpp";
    case EngineKind::kRkllm:
      return "rkllm";
    case EngineKind::kScripted:
      return "scripted";
  }
  return "unknown";
}

}  // namespace rockllama
