// The released runtimes by binary interface, and what each can do. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace rockllama::rkllm {

// Named after the first version of each; docs/rkllm.md says which versions share one.
enum class AbiGroup : uint8_t { k1_1_0, k1_2_0, k1_2_1b1, k1_2_1, k1_3_0 };
inline constexpr AbiGroup kAbiGroups[] = {AbiGroup::k1_1_0, AbiGroup::k1_2_0, AbiGroup::k1_2_1b1, AbiGroup::k1_2_1,
                                          AbiGroup::k1_3_0};
// "1.1.0 to 1.1.4", for messages.
[[nodiscard]] std::string versions_of(AbiGroup group);

// Of a version as in "1.2.1b1"; nothing for one that this program does not know.
[[nodiscard]] std::optional<AbiGroup> group_of(std::string_view version);

// Names of the functions that its header declares.
[[nodiscard]] std::set<std::string> functions_of(AbiGroup group);

// What a runtime offers beyond loading, running, aborting, LoRA and prompt cache files, which all have.
struct Features {
  bool keep_history = false;    // KV cells may stay for a next turn
  bool clear_kv_cache = false;  // else only a new process is sure to be empty
  bool chat_template = false;   // the runtime's own can be replaced
  bool role = false;            // "user" or "tool" with the input
  bool thinking = false;        // the switch per run
  bool function_tools = false;
  bool kv_cache_size = false;
  bool perf = false;              // token counts and times at the end of a run
  bool sampling_per_run = false;  // and max_new_tokens per run; else both are fixed at init
};
[[nodiscard]] Features features_of(AbiGroup group);

}  // namespace rockllama::rkllm
