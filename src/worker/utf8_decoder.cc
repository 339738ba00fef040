#include "worker/utf8_decoder.h"

#include <utility>

namespace rockllama {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

}  // namespace

void Utf8Decoder::feed(uint8_t byte, std::string* text) {
  if (missing_ == 0) {
    begin(byte, text);
  } else if (byte < lowest_ || byte > highest_) {
    finish(text);
    begin(byte, text);
  } else {
    expect(byte, missing_ - 1);
    if (missing_ == 0) text->append(std::exchange(character_, {}));
  }
}

void Utf8Decoder::finish(std::string* text) {
  if (missing_ > 0) text->append(kReplacement);
  missing_ = 0;
  character_.clear();
}

// The ranges of second bytes leave out overlong forms, surrogates and what is over U+10FFFF (Unicode 15, table 3-7).
void Utf8Decoder::begin(uint8_t byte, std::string* text) {
  if (byte < 0x80) {
    text->push_back(static_cast<char>(byte));
  } else if (byte >= 0xc2 && byte <= 0xdf) {
    expect(byte, 1);
  } else if (byte >= 0xe0 && byte <= 0xef) {
    expect(byte, 2, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf);
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    expect(byte, 3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf);
  } else {
    text->append(kReplacement);
  }
}

void Utf8Decoder::expect(uint8_t byte, int more, uint8_t lowest, uint8_t highest) {
  character_.push_back(static_cast<char>(byte));
  missing_ = more;
  lowest_ = lowest;
  highest_ = highest;
}

}  // namespace rockllama
