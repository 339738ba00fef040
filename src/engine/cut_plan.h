// The plan of cuts (docs/architecture.md, "Same pieces, same bits"): where a prompt is cut into prefill blocks, as a
// pure function of the prompt and the cache that it resolves to. The same pieces give the same bits, whether a prefix
// was prefilled or restored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rockllama {

// Ends of fixed blocks over tokens [from, to), ascending; the last is `to`. Empty when from == to.
[[nodiscard]] std::vector<uint32_t> block_cuts(uint32_t from, uint32_t to, uint32_t block_tokens);

[[nodiscard]] uint32_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b);
// How far the prompt begins like `prefix`, without its last token: that one is left to be decoded.
[[nodiscard]] uint32_t reusable_prefix(std::span<const int32_t> prompt, std::span<const int32_t> prefix);

// Whether `cuts` ascend to `size`, at least one token and at most `block_tokens` tokens apart.
[[nodiscard]] bool cuts_are_valid(std::span<const uint32_t> cuts, size_t size, uint32_t block_tokens);

// The cuts of a cache's prefix: at each of `borders` (where what it continues ends), ascending, and fixed blocks
// counted from there up to the next one. The last border is the prefix's size.
[[nodiscard]] std::vector<uint32_t> border_cuts(std::span<const uint32_t> borders, uint32_t block_tokens);

struct CutPlan {
  std::vector<uint32_t> cuts;  // ends of blocks over the whole prompt; the last is its size
  uint32_t reuse_tokens = 0;   // the cut up to which the cache's prefix can serve; 0 = none of it
};

// `prefix` is the token prefix of the cache (or of the request's own system part), cut at `prefix_cuts`; empty = none.
// The cuts are those of the prefix as far as prompt and prefix agree, then fixed blocks counted from the last of them.
// At least one token of the prompt is left to be decoded.
[[nodiscard]] CutPlan plan_cuts(std::span<const int32_t> prompt, std::span<const int32_t> prefix,
                                std::span<const uint32_t> prefix_cuts, uint32_t block_tokens);

}  // namespace rockllama
