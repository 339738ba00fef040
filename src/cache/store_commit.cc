// Commits: texts and states, and what they continue.
#include <algorithm>

#include "cache/cache_content.h"
#include "cache/store_impl.h"

namespace rockllama {
namespace {

// Whether the state was built over these ancestors; their texts may have changed while it was.
Status check_built_over(const CacheLine& built_over, const LineTexts& ancestors) {
  if (built_over.empty()) return {};
  bool same = built_over.size() == ancestors.texts.size() + 1;
  for (size_t i = 0; same && i < ancestors.texts.size(); ++i) {
    const auto content = parse_content(ancestors.texts[i]);
    same = content && *content == built_over[i];
  }
  if (same) return {};
  return fail(ErrorCode::kConflict, "the text of a cache that it continues changed meanwhile");
}

}  // namespace

Result<PendingState> CacheStore::begin_state(const std::string& model, const std::string& name, StateFormat format) {
  if (!usable_model_folder(model) || !usable_cache_name(name)) {
    return fail(ErrorCode::kInvalidArgument, "this is no name for a prompt cache", "cache_name");
  }
  if (impl_->is_limited()) {
    const std::lock_guard guard(impl_->budget_mutex);
    if (const Status room = impl_->make_room({.model = model}, name, true); !room) return fail(room.error());
  }
  if (const Status made = impl_->files->make_folders(impl_->folder(model)); !made) return fail(made.error());
  std::string path = impl_->folder(model) + "/" + new_state_file_name(name, format, ++impl_->payloads);
  auto fd = impl_->files->create(path);
  if (!fd) return fail(fd.error());
  return PendingState(impl_->files, std::move(path), std::move(*fd));
}

Status CacheStore::commit(const std::string& model, const std::string& name, const std::string& text,
                          std::vector<NewState> states, const CacheAttributes& attributes) {
  const ChangeNotice notice(impl_.get());
  return impl_->commit(model, name, text, std::move(states), attributes, false);
}

Status CacheStore::add_states(const std::string& model, const std::string& name, const std::string& text,
                              std::vector<NewState> states) {
  const ChangeNotice notice(impl_.get());
  return impl_->commit(model, name, text, std::move(states), {}, true);
}

// Syncs and hashes the payloads, before any lock: they are this call's own.
Result<std::vector<StagedState>> CacheStore::Impl::stage(const std::vector<NewState>& states) {
  std::vector<StagedState> staged;
  const double time = now();
  for (const NewState& state : states) {
    const std::string& path = state.payload.path();
    const auto file = hash_payload(files, path, state.saved.bytes);
    if (!file) return fail(file.error());
    staged.push_back({path.substr(path.find_last_of('/') + 1),
                      {.engine = state.engine,
                       .format = state.format,
                       .file = {},
                       .size = file->size,
                       .checksum = file->checksum,
                       .tokens = state.saved.tokens,
                       .token_hash = state.saved.token_hash,
                       .counted_tokens = state.saved.counted_tokens,
                       .anchor = state.saved.anchor.token_hash,
                       .cuts = state.saved.cuts,
                       .fingerprint = state.fingerprint,
                       .created_at = time,
                       .modified_at = time,
                       .note = state.saved.note,
                       .prefill_ms = state.saved.prefill_ms,
                       .first_token_ms = state.saved.first_token_ms}});
  }
  return staged;
}

// The parent that will hold is checked where it is new and where states are built over it; a cache whose parent
// somebody removed can still get another text.
Result<std::vector<Hash128>> CacheStore::Impl::ancestors_at_commit(const std::string& model, const std::string& name,
                                                                   const std::vector<NewState>& states,
                                                                   const CacheAttributes& attributes) {
  std::string parent;
  if (attributes.parent) {
    parent = *attributes.parent;
  } else {
    const auto current = with(model, name, [](CacheSlot& slot) -> Result<std::string> { return slot.parent(); });
    if (!current) return fail(current.error());
    parent = *current;
  }
  if (!attributes.parent && states.empty()) return std::vector<Hash128>();
  const auto ancestors = ancestors_of(model, name, parent, true);
  if (!ancestors) return fail(ancestors.error());
  for (const NewState& state : states) {
    if (const Status same = check_built_over(state.line, *ancestors); !same) return fail(same.error());
  }
  return ancestors->hashes;
}

Status CacheStore::Impl::make_room_for(const std::string& model, const std::string& name, const CommitOrder& order) {
  EvictionNeed need{.model = model};
  const Status looked = with(model, name, [&](CacheSlot& slot) -> Status {
    need.bytes = slot.bytes_after(order);
    need.new_cache = !slot.exists();
    return {};
  });
  return looked ? make_room(need, name, false) : looked;
}

Status CacheStore::Impl::commit(const std::string& model, const std::string& name, const std::string& text,
                                std::vector<NewState> states, const CacheAttributes& attributes, bool same_text) {
  if (!usable_model_folder(model) || !usable_cache_name(name)) {
    return fail(ErrorCode::kInvalidArgument, "this is no name for a prompt cache", "cache_name");
  }
  auto ancestors = ancestors_at_commit(model, name, states, attributes);
  if (!ancestors) return fail(ancestors.error());
  auto staged = stage(states);
  if (!staged) return fail(staged.error());
  if (const Status made = files->make_folders(folder(model)); !made) return made;
  const CommitOrder order{.text = text,
                          .states = std::move(*staged),
                          .attributes = attributes,
                          .ancestors = std::move(*ancestors),
                          .now = now()};
  std::unique_lock<std::mutex> budget;
  if (is_limited()) {
    budget = std::unique_lock(budget_mutex);
    if (const Status room = make_room_for(model, name, order); !room) return room;
  }
  const Status committed = with(model, name, [&](CacheSlot& slot) -> Status {
    if (same_text) {
      if (!slot.exists()) return no_such_cache();
      const auto current = slot.read_text();
      if (!current) return fail(current.error());
      if (*current != text) return fail(ErrorCode::kConflict, "the text of the prompt cache changed meanwhile");
    }
    if (!attributes.overwrite && slot.exists()) return fail(ErrorCode::kConflict, "the prompt cache exists already");
    return slot.commit(order, [&] {
      for (NewState& state : states) state.payload.release();
    });
  });
  note_change(model, name);
  return committed;
}

}  // namespace rockllama
