// Whether a conversation's state that leaves the worker's memory is worth a file. Pure.
#pragma once

#include <optional>
#include <string>

#include "cache/store_types.h"
#include "domain/model.h"
#include "protocol/messages.h"

namespace rockllama {

// Why not; nothing where it is to be written. `writing_bytes`: of states that are being written now.
[[nodiscard]] std::optional<std::string> offer_refusal(const protocol::Offered& offer, const EngineFigures& figures,
                                                       const StoreUse& use, uint64_t writing_bytes);

}  // namespace rockllama
