// Holds the structs of every ABI group against tools/rkllm/abi.json: sizes, offsets, types, enumerators, signatures.
#include <cstddef>
#include <type_traits>
#include <utility>

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
#include "engines/rkllm/abi_1_3_0.h"
#include "engines/rkllm/generated/layouts.inc"
