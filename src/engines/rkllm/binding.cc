#include "engines/rkllm/binding.h"

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
#include "engines/rkllm/abi_1_3_0.h"
#include "engines/rkllm/group_binding.h"

namespace rockllama::rkllm {

std::unique_ptr<Binding> make_binding(const Library& library) {
  void* handle = library.handle();
  switch (library.info().group) {
    case AbiGroup::k1_1_0:
      return std::make_unique<GroupBinding<abi_1_1_0::Calls>>(handle);
    case AbiGroup::k1_2_0:
      return std::make_unique<GroupBinding<abi_1_2_0::Calls>>(handle);
    case AbiGroup::k1_2_1b1:
      return std::make_unique<GroupBinding<abi_1_2_1b1::Calls>>(handle);
    case AbiGroup::k1_2_1:
      return std::make_unique<GroupBinding<abi_1_2_1::Calls>>(handle);
    case AbiGroup::k1_3_0:
      break;
  }
  return std::make_unique<GroupBinding<abi_1_3_0::Calls>>(handle);
}

}  // namespace rockllama::rkllm
