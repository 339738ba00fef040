// Where the worker has no tokenizer for a model, a prompt is prepared byte by byte: each byte stands for a token, so
// borders, states and hashes mean the same as elsewhere. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rockllama::rkllm {

[[nodiscard]] std::vector<int32_t> bytes_as_tokens(std::string_view text);
// The text again, without a character that its end cuts through.
[[nodiscard]] std::string text_of_bytes(std::span<const int32_t> bytes);

}  // namespace rockllama::rkllm
