#include "engines/rkllm/default_param.h"

#include <cstring>
#include <new>
#include <type_traits>

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
#include "engines/rkllm/abi_1_3_0.h"

namespace rockllama::rkllm {
namespace {

constexpr size_t kSize = std::tuple_size_v<DefaultParamBytes>;

// Stands for a result of unknown size. It cannot be copied, so the compiler has to let the function write it where it
// is to live.
struct Filled {
  Filled() = default;
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;
  ~Filled() {}  // NOLINT: makes it a type that is returned in memory by every rule
  std::byte bytes[kSize];
};

using Buffer = std::array<std::byte, kSize>;

Buffer called_over(void* function, std::byte poison) {
  alignas(Filled) Buffer buffer;
  buffer.fill(poison);
  // The compiler must not see that a result is about to replace what is in there.
  asm volatile("" : : "r"(buffer.data()) : "memory");
  new (buffer.data()) Filled(reinterpret_cast<Filled (*)()>(function)());
  asm volatile("" : : "r"(buffer.data()) : "memory");
  return buffer;
}

// One field of the defaults; nothing where not all of it was written.
template <class T>
std::optional<T> read(const DefaultParamBytes& bytes, size_t offset) {
  std::array<std::byte, sizeof(T)> raw;
  for (size_t i = 0; i < sizeof(T); ++i) {
    if (!bytes[offset + i]) return std::nullopt;
    raw[i] = *bytes[offset + i];
  }
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

template <class T>
bool between(std::optional<T> value, T least, T most) {
  return !value || (*value >= least && *value <= most);  // not so for NaN
}

template <class Param>
std::string misfit_of(const DefaultParamBytes& bytes) {
  const size_t written = written_size(bytes);
  if (written > sizeof(Param)) return "it fills " + std::to_string(written) + " bytes";
  if (written <= offsetof(Param, extend_param)) return "it fills only " + std::to_string(written) + " bytes";
  const auto float_at = [&](size_t offset) { return read<float>(bytes, offset); };
  if (!between(float_at(offsetof(Param, top_p)), 1e-6F, 1.0F)) return "its top_p is none";
  if (!between(float_at(offsetof(Param, temperature)), 0.0F, 2.0F)) return "its temperature is none";
  if (!between(float_at(offsetof(Param, repeat_penalty)), 0.1F, 4.0F)) return "its repeat_penalty is none";
  if (!between(read<int32_t>(bytes, offsetof(Param, mirostat)), 0, 2)) return "its mirostat is none";
  for (const size_t flag : {offsetof(Param, skip_special_token), offsetof(Param, is_async)}) {
    if (!between(read<uint8_t>(bytes, flag), uint8_t{0}, uint8_t{1})) return "a flag of it is neither 0 nor 1";
  }
  if constexpr (requires(Param param) { param.extend_param.enabled_cpus_num; }) {
    const size_t cpus = offsetof(Param, extend_param.enabled_cpus_num);
    const size_t mask = offsetof(Param, extend_param.enabled_cpus_mask);
    // Documented as 4.
    if (!between(read<int8_t>(bytes, cpus), int8_t{1}, int8_t{8})) return "its enabled_cpus_num is none";
    if (!between(read<uint32_t>(bytes, mask), 0U, 0xffU)) return "its enabled_cpus_mask is none";
  }
  return {};
}

auto with_param(AbiGroup group, auto&& call) {
  switch (group) {
    case AbiGroup::k1_1_0:
      return call(std::type_identity<abi_1_1_0::RKLLMParam>());
    case AbiGroup::k1_2_0:
      return call(std::type_identity<abi_1_2_0::RKLLMParam>());
    case AbiGroup::k1_2_1b1:
      return call(std::type_identity<abi_1_2_1b1::RKLLMParam>());
    case AbiGroup::k1_2_1:
      return call(std::type_identity<abi_1_2_1::RKLLMParam>());
    case AbiGroup::k1_3_0:
      break;
  }
  return call(std::type_identity<abi_1_3_0::RKLLMParam>());
}

}  // namespace

DefaultParamBytes call_create_default_param(void* function) {
  constexpr std::byte kFirst{0xa5};
  constexpr std::byte kSecond{0x5a};
  const Buffer first = called_over(function, kFirst);
  const Buffer second = called_over(function, kSecond);
  DefaultParamBytes bytes;
  for (size_t i = 0; i < kSize; ++i) {
    if (first[i] != kFirst || second[i] != kSecond) bytes[i] = first[i];
  }
  return bytes;
}

size_t written_size(const DefaultParamBytes& bytes) {
  size_t size = bytes.size();
  while (size > 0 && !bytes[size - 1]) --size;
  return size;
}

size_t param_size(AbiGroup group) {
  return with_param(group, []<class Param>(std::type_identity<Param>) { return sizeof(Param); });
}

std::string misfit(const DefaultParamBytes& bytes, AbiGroup group) {
  return with_param(group, [&]<class Param>(std::type_identity<Param>) { return misfit_of<Param>(bytes); });
}

}  // namespace rockllama::rkllm
