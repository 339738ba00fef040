// How a dialect writes functions and schemas.
#pragma once

#include <cstdint>

namespace rockllama::api {

// Chat completions put them into an object of their own, behind `type`; responses put their fields beside it.
enum class WireForm : uint8_t { kChat, kResponses };

}  // namespace rockllama::api
