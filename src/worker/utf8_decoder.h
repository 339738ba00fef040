// Bytes that arrive in pieces to whole UTF-8 characters. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace rockllama {

class Utf8Decoder {
 public:
  // Appends to `text` what this byte completes: a character, U+FFFD for bytes that cannot be one, or nothing yet.
  void feed(uint8_t byte, std::string* text);
  // Appends U+FFFD where the bytes end inside a character.
  void finish(std::string* text);

 private:
  void begin(uint8_t byte, std::string* text);
  void expect(uint8_t byte, int more, uint8_t lowest = 0x80, uint8_t highest = 0xbf);

  std::string character_;  // its bytes so far
  int missing_ = 0;        // bytes that it still needs
  uint8_t lowest_ = 0x80;  // range of the next byte
  uint8_t highest_ = 0xbf;
};

}  // namespace rockllama
