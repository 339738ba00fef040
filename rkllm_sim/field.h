// Reads and writes fields of the vendor's structs by their offsets, which are generated from abi.json. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace rkllm_sim::abi {

// The value of an enumerator that this version lacks.
inline constexpr uint32_t kNoValue = std::numeric_limits<uint32_t>::max();

// A field of type T, or one that this version lacks.
template <typename T>
struct Field {
  static constexpr std::size_t kAbsent = std::numeric_limits<std::size_t>::max();
  std::size_t offset = kAbsent;

  [[nodiscard]] constexpr bool exists() const { return offset != kAbsent; }

  // The field of the struct that begins at `base`; `absent` where this version has none.
  [[nodiscard]] T get(const void* base, T absent = T{}) const {
    if (!exists()) return absent;
    T value{};
    std::memcpy(&value, static_cast<const unsigned char*>(base) + offset, sizeof value);
    return value;
  }

  // Does nothing where this version has no such field.
  void set(void* base, T value) const {
    if (exists()) std::memcpy(static_cast<unsigned char*>(base) + offset, &value, sizeof value);
  }
};

template <>
inline bool Field<bool>::get(const void* base, bool absent) const {
  return exists() ? static_cast<const unsigned char*>(base)[offset] != 0 : absent;
}

}  // namespace rkllm_sim::abi
