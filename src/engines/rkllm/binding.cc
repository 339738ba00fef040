#include "engines/rkllm/binding.h"

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
#include "engines/rkllm/abi_1_3_0.h"
#include "engines/rkllm/group_binding.h"

namespace rockllama::rkllm {
namespace {

template <class Calls>
std::unique_ptr<Binding> binding_of(void* library) {
  return std::make_unique<GroupBinding<Calls>>(find_calls<Calls>(library));
}

}  // namespace

std::unique_ptr<Binding> make_binding(const Library& library) {
  void* handle = library.handle();
  switch (library.info().group) {
    case AbiGroup::k1_1_0:
      return binding_of<abi_1_1_0::Calls>(handle);
    case AbiGroup::k1_2_0:
      return binding_of<abi_1_2_0::Calls>(handle);
    case AbiGroup::k1_2_1b1:
      return binding_of<abi_1_2_1b1::Calls>(handle);
    case AbiGroup::k1_2_1:
      return binding_of<abi_1_2_1::Calls>(handle);
    case AbiGroup::k1_3_0:
      break;
  }
  return binding_of<abi_1_3_0::Calls>(handle);
}

}  // namespace rockllama::rkllm
