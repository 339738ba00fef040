// How a commit that began is brought to its end, from what it meant to do and what is on disk. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/cache_metadata.h"

namespace rockllama {

// The hashes of a replacement's two files as they are; nothing = no such file.
struct ObservedFiles {
  std::optional<Hash128> from;
  std::optional<Hash128> to;
};

enum class CommitPreference : uint8_t { kForward, kBack };

struct CommitPlan {
  bool forward = false;                    // the next metadata will hold, else the current
  std::vector<Replacement> renames{};      // still to be done
  std::vector<std::string> lost_states{};  // files that do not hold what that metadata says of them
  std::vector<std::string> removals{};     // temporary files, and states that belong to neither metadata
};

// Forward where a file already took its place or `preference` says so, and the text is at hand. Back where the text is
// not there as the commit knew it: then somebody edited it, and the edit stays. `observed` is parallel to
// `pending.files`; `text_file` tells which of them is the text.
[[nodiscard]] CommitPlan plan_commit(const PendingCommit& pending, const std::vector<ObservedFiles>& observed,
                                     const std::string& text_file, CommitPreference preference);

}  // namespace rockllama
