// Sends events to the server. Any thread. A server that is gone is noticed by the reader of the channel, not here.
#pragma once

#include <functional>

#include "engine/engine.h"
#include "protocol/messages.h"

namespace rockllama {

using EventSender = std::function<void(const protocol::Event&)>;

[[nodiscard]] inline protocol::Failed failed(RequestId id, const Error& error) {
  return {id, error.code, error.message, error.param};
}
[[nodiscard]] inline protocol::Failed cancelled(RequestId id) { return failed(id, cancelled_error()); }

}  // namespace rockllama
