// What rkllm_createDefaultParam of each ABI group fills in, with the documented values.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
#include "engines/rkllm/abi_1_3_0.h"
#include "engines/rkllm/default_param.h"

namespace rockllama::rkllm {

template <class Param>
Param documented_defaults() {
  Param param{};
  param.max_context_len = 512;
  param.max_new_tokens = 128;
  param.top_k = 40;
  param.top_p = 0.9F;
  param.temperature = 0.8F;
  param.repeat_penalty = 1.1F;
  param.mirostat_tau = 5.0F;
  param.mirostat_eta = 0.1F;
  param.skip_special_token = true;
  if constexpr (requires { param.extend_param.enabled_cpus_num; }) {
    param.extend_param.enabled_cpus_num = 4;
    param.extend_param.enabled_cpus_mask = 0xf0;
  }
  if constexpr (requires { param.extend_param.n_batch; }) param.extend_param.n_batch = 1;
  return param;
}

template <class Param>
DefaultParamBytes written(const Param& param) {
  std::array<std::byte, sizeof(Param)> raw;
  std::memcpy(raw.data(), &param, sizeof(Param));
  DefaultParamBytes bytes;
  for (size_t i = 0; i < raw.size(); ++i) bytes[i] = raw[i];
  return bytes;
}

inline DefaultParamBytes defaults_of(AbiGroup group) {
  switch (group) {
    case AbiGroup::k1_1_0:
      return written(documented_defaults<abi_1_1_0::RKLLMParam>());
    case AbiGroup::k1_2_0:
      return written(documented_defaults<abi_1_2_0::RKLLMParam>());
    case AbiGroup::k1_2_1b1:
      return written(documented_defaults<abi_1_2_1b1::RKLLMParam>());
    case AbiGroup::k1_2_1:
      return written(documented_defaults<abi_1_2_1::RKLLMParam>());
    case AbiGroup::k1_3_0:
      break;
  }
  return written(documented_defaults<abi_1_3_0::RKLLMParam>());
}

}  // namespace rockllama::rkllm
