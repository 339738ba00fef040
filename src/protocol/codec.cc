#include "protocol/codec.h"

#include <array>
#include <bit>
#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/codec_fields.h"

namespace rockllama::protocol {
namespace {

// A vector of more elements is garbage: it bounds what a hostile frame can make the decoder allocate.
constexpr uint64_t kMaxElements = 1u << 22;

template <class T>
concept Enum = std::is_enum_v<T>;
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

class Encoder {
 public:
  explicit Encoder(std::string* bytes) : bytes_(bytes) {}

  void put(bool value) { byte(value ? 1 : 0); }
  void put(Enum auto value) { byte(static_cast<uint8_t>(value)); }
  void put(float value) { fixed(std::bit_cast<uint32_t>(value)); }
  void put(double value) { fixed(std::bit_cast<uint64_t>(value)); }

  template <Integer T>
  void put(T value) {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<int64_t>(value);
      varint((static_cast<uint64_t>(wide) << 1) ^ static_cast<uint64_t>(wide >> 63));
    } else {
      varint(value);
    }
  }
  void put(const Hash128& hash) {
    fixed(hash.high);
    fixed(hash.low);
  }
  void put(const std::string& text) {
    varint(text.size());
    bytes_->append(text);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& pair) {
    put(pair.first);
    put(pair.second);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    varint(values.size());
    for (const T& value : values) put(value);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    byte(static_cast<uint8_t>(value.index()));
    std::visit([this](const auto& alternative) { this->put(alternative); }, value);
  }
  template <class T>
  requires requires { sizeof(Fields<T>); }
  void put(const T& message) {
    std::apply([this](const auto&... field) { (this->put(field), ...); }, Fields<T>::of(message));
  }

 private:
  void byte(uint8_t value) { bytes_->push_back(static_cast<char>(value)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<uint8_t>(value | 0x80));
    byte(static_cast<uint8_t>(value));
  }
  template <class T>
  void fixed(T value) {
    for (size_t shift = 0; shift < sizeof(T) * 8; shift += 8) byte(static_cast<uint8_t>(value >> shift));
  }

  std::string* bytes_;
};

// Every get answers whether a good value was there; after false the rest of the frame means nothing.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  bool get(bool* value) {
    uint8_t bits = 0;
    if (!byte(&bits) || bits > 1) return false;
    *value = bits == 1;
    return true;
  }
  template <Enum E>
  bool get(E* value) {
    uint8_t bits = 0;
    if (!byte(&bits) || bits > static_cast<uint8_t>(kLastOf<E>)) return false;
    *value = static_cast<E>(bits);
    return true;
  }
  bool get(float* value) { return bits_of<uint32_t>(value); }
  bool get(double* value) { return bits_of<uint64_t>(value); }

  template <Integer T>
  bool get(T* value) {
    uint64_t bits = 0;
    if (!varint(&bits)) return false;
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
      *value = static_cast<T>(wide);
      return std::in_range<T>(wide);
    } else {
      *value = static_cast<T>(bits);
      return std::in_range<T>(bits);
    }
  }
  bool get(Hash128* hash) { return fixed(&hash->high) && fixed(&hash->low); }
  bool get(std::string* text) {
    uint64_t size = 0;
    if (!varint(&size) || size > bytes_.size()) return false;
    text->assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return true;
  }
  template <class A, class B>
  bool get(std::pair<A, B>* pair) {
    return get(&pair->first) && get(&pair->second);
  }
  template <class T>
  bool get(std::optional<T>* value) {
    bool present = false;
    if (!get(&present)) return false;
    if (!present) return true;
    return get(&value->emplace());
  }
  template <class T>
  bool get(std::vector<T>* values) {
    uint64_t count = 0;
    // Every element takes a byte at least.
    if (!varint(&count) || count > bytes_.size() || count > kMaxElements) return false;
    for (uint64_t i = 0; i < count; ++i) {
      if (!get(&values->emplace_back())) return false;
    }
    return true;
  }
  template <class... T>
  bool get(std::variant<T...>* value) {
    using Get = bool (*)(Decoder*, std::variant<T...>*);
    static constexpr std::array<Get, sizeof...(T)> kGetters = {
        [](Decoder* decoder, std::variant<T...>* into) { return decoder->get(&into->template emplace<T>()); }...};
    uint8_t index = 0;
    return byte(&index) && index < kGetters.size() && kGetters[index](this, value);
  }
  template <class T>
  requires requires { sizeof(Fields<T>); }
  bool get(T* message) {
    return std::apply([this](auto&... field) { return (this->get(&field) && ...); }, Fields<T>::of(*message));
  }

 private:
  bool byte(uint8_t* value) {
    if (bytes_.empty()) return false;
    *value = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return true;
  }
  bool varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t bits = 0;
      if (!byte(&bits) || (shift == 63 && bits > 1)) return false;
      *value |= static_cast<uint64_t>(bits & 0x7f) << shift;
      if (bits < 0x80) return true;
    }
    return false;
  }
  template <class T>
  bool fixed(T* value) {
    if (bytes_.size() < sizeof(T)) return false;
    *value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) *value |= static_cast<T>(static_cast<uint8_t>(bytes_[i])) << (i * 8);
    bytes_.remove_prefix(sizeof(T));
    return true;
  }
  template <class Bits, class T>
  bool bits_of(T* value) {
    Bits bits = 0;
    if (!fixed(&bits)) return false;
    *value = std::bit_cast<T>(bits);
    return true;
  }

  std::string_view bytes_;
};

template <class Message>
std::string encode_message(const Message& message) {
  std::string bytes;
  Encoder(&bytes).put(message);
  return bytes;
}

template <class Message>
Result<Message> decode_message(std::string_view bytes) {
  Decoder decoder(bytes);
  Message message;
  if (!decoder.get(&message) || !decoder.at_end()) return fail(ErrorCode::kCorrupt, "a frame holds no valid message");
  return message;
}

}  // namespace

std::string encode(const Command& command) { return encode_message(command); }
std::string encode(const Event& event) { return encode_message(event); }

Result<Command> decode_command(std::string_view bytes) { return decode_message<Command>(bytes); }
Result<Event> decode_event(std::string_view bytes) { return decode_message<Event>(bytes); }

}  // namespace rockllama::protocol
