#include "cache/commit_plan.h"

namespace rockllama {
namespace {

bool took_its_place(const Replacement& file, const ObservedFiles& observed) {
  return observed.to == file.new_hash && file.old_hash != file.new_hash;
}

bool goes_forward(const PendingCommit& pending, const std::vector<ObservedFiles>& observed,
                  const std::string& text_file, CommitPreference preference) {
  bool begun = false;
  for (size_t i = 0; i < pending.files.size(); ++i) {
    const Replacement& file = pending.files[i];
    if (took_its_place(file, observed[i])) begun = true;
    if (file.to != text_file || observed[i].to == file.new_hash) continue;
    const bool untouched = !observed[i].to || observed[i].to == file.old_hash;
    if (!untouched || observed[i].from != file.new_hash) return false;
  }
  return begun || preference == CommitPreference::kForward;
}

}  // namespace

CommitPlan plan_commit(const PendingCommit& pending, const std::vector<ObservedFiles>& observed,
                       const std::string& text_file, CommitPreference preference) {
  CommitPlan plan{.forward = goes_forward(pending, observed, text_file, preference)};
  for (size_t i = 0; i < pending.files.size(); ++i) {
    const Replacement& file = pending.files[i];
    const bool is_state = file.to != text_file;
    const std::optional<Hash128> wanted = plan.forward ? std::optional(file.new_hash) : file.old_hash;
    if (plan.forward && observed[i].to != wanted && observed[i].from == wanted) {
      plan.renames.push_back(file);
      continue;
    }
    if (observed[i].from) plan.removals.push_back(file.from);
    if (!is_state || observed[i].to == wanted) continue;
    plan.lost_states.push_back(file.to);
    if (observed[i].to == file.new_hash) plan.removals.push_back(file.to);
  }
  return plan;
}

}  // namespace rockllama
