// What rkllm_createDefaultParam fills in: a library of one ABI group writes other values at other places than one of
// another group, so this shows a library that is not what its version says.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "engines/rkllm/abi_group.h"

namespace rockllama::rkllm {

// The bytes of a buffer that is larger than any RKLLMParam; nothing where the function left it as it was.
using DefaultParamBytes = std::array<std::optional<std::byte>, 1024>;

// Calls the function, whose result is larger than the registers: so it gets the address of the buffer, whatever the
// true size is. Twice over different contents, to see what is written.
[[nodiscard]] DefaultParamBytes call_create_default_param(void* function);

// End of the last byte that was written.
[[nodiscard]] size_t written_size(const DefaultParamBytes& bytes);

// Of the RKLLMParam of that group.
[[nodiscard]] size_t param_size(AbiGroup group);

// Why these cannot be the defaults of that group; empty where they can. Pure. Bytes that were not written say nothing,
// because the vendor's code may leave padding and reserved fields alone.
[[nodiscard]] std::string misfit(const DefaultParamBytes& bytes, AbiGroup group);

}  // namespace rockllama::rkllm
