// What caches continue, and what that means for their removal.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cache/store_impl.h"

namespace rockllama {
namespace {

struct Link {
  std::string text;
  Hash128 hash;
  std::string parent;
};

Result<Link> read_link(CacheSlot& slot, bool with_text) {
  Link link{.text = {}, .hash = {}, .parent = slot.parent()};
  if (with_text) {
    auto text = slot.read_text();
    if (!text) return fail(text.error());
    link.text = std::move(*text);
    link.hash = hash_bytes(link.text);
  } else {
    const auto hash = slot.text_hash();
    if (!hash) return fail(ErrorCode::kNotFound, "the prompt cache has no text");
    link.hash = *hash;
  }
  return link;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMostNamed = 10;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) text += (i == 0 ? "'" : ", '") + names[i] + "'";
  if (names.size() > kMostNamed) text += " and " + std::to_string(names.size() - kMostNamed) + " more";
  return text;
}

}  // namespace

Result<std::set<std::string>> CacheStore::Impl::names(const std::string& model) {
  auto names = cache_names(files, folder(model));
  if (!names) return names;
  for (std::string& name : index.names(model)) names->insert(std::move(name));
  return names;
}

Status CacheStore::Impl::scan(const std::string& model) {
  const auto all = names(model);
  if (!all) return fail(all.error());
  Status scanned;
  for (const std::string& name : *all) {
    const Status looked = with(model, name, [](CacheSlot&) -> Status { return {}; });
    if (looked || looked.error().code == ErrorCode::kNotFound) continue;
    scanned = fail(looked.error().code, "cache '" + name + "' cannot be read (" + looked.error().message + ")");
  }
  if (scanned) index.set_complete(model);
  return scanned;
}

void CacheStore::Impl::complete(const std::string& model) {
  if (usable_model_folder(model) && !index.complete(model)) (void)scan(model);
}

bool CacheStore::Impl::remove_expired(const std::string& model, const std::string& name) {
  complete(model);
  if (!is_over(index.family(model), name, now())) return false;
  const Status removed = with(model, name, [&](CacheSlot& slot) -> Status {
    return has_expired(slot.expires_at(), now()) ? slot.remove() : Status{};
  });
  if (!removed) spdlog::warn("cache {}/{} expired and cannot be removed: {}", model, name, removed.error().message);
  if (removed) spdlog::info("cache {}/{} expired", model, name);
  return true;
}

Result<LineTexts> CacheStore::Impl::ancestors_of(const std::string& model, const std::string& name,
                                                 const std::string& parent, bool with_texts) {
  LineTexts line;
  for (std::string next = parent; !next.empty();) {
    if (next == name || std::find(line.names.begin(), line.names.end(), next) != line.names.end()) {
      return fail(ErrorCode::kInvalidArgument, "the caches that it continues go in a circle at '" + next + "'",
                  "parent");
    }
    if (line.names.size() == kMostAncestors) {
      return fail(ErrorCode::kInvalidArgument,
                  "it continues more than " + std::to_string(kMostAncestors) + " caches in a row", "parent");
    }
    auto link = with_existing(model, next, [&](CacheSlot& slot) { return read_link(slot, with_texts); });
    if (!link && link.error().code == ErrorCode::kNotFound) {
      return fail(ErrorCode::kNotFound, "there is no cache '" + next + "' with a text for it to continue", "parent");
    }
    if (!link) return fail(link.error());
    line.names.push_back(next);
    line.texts.push_back(std::move(link->text));
    line.hashes.push_back(link->hash);
    next = link->parent;
  }
  std::reverse(line.names.begin(), line.names.end());
  std::reverse(line.texts.begin(), line.texts.end());
  std::reverse(line.hashes.begin(), line.hashes.end());
  return line;
}

Result<std::string> CacheStore::Impl::parent_of(const std::string& model, const std::string& name) {
  return with_existing(model, name, [](CacheSlot& slot) -> Result<std::string> { return slot.parent(); });
}

LineCheck CacheStore::Impl::check_line(const std::string& model, const std::string& name, const std::string& parent) {
  if (parent.empty()) return {};
  auto line = ancestors_of(model, name, parent, false);
  if (!line) return {.fault = line.error().message};
  const auto own = with_existing(model, name, [&](CacheSlot& slot) { return read_link(slot, false); });
  if (!own) return {.fault = own.error().message};
  line->hashes.push_back(own->hash);
  return {.hash = hash_line(line->hashes)};
}

std::vector<std::string> CacheStore::children(const std::string& model, const std::string& name) {
  const ChangeNotice notice(impl_.get());
  impl_->complete(model);
  return children_of(impl_->index.family(model), name);
}

Status CacheStore::remove(const std::string& model, const std::string& name, bool cascade) {
  const ChangeNotice notice(impl_.get());
  const Status there = impl_->with_existing(model, name, [](CacheSlot&) -> Status { return {}; });
  if (!there) return there;
  const Status scanned = impl_->scan(model);
  if (!scanned && !cascade) {
    return fail(ErrorCode::kConflict,
                scanned.error().message + " and might continue this one: mend it, or remove this one with cascade");
  }
  const std::vector<std::string> descendants = descendants_of(impl_->index.family(model), name);
  if (!cascade && !descendants.empty()) {
    return fail(ErrorCode::kConflict,
                "the cache is continued by " + listed(descendants) + "; remove them first or with it");
  }
  for (const std::string& descendant : descendants) {
    const Status removed = impl_->with(model, descendant, [](CacheSlot& slot) { return slot.remove(); });
    if (!removed) return removed;
  }
  // Its time may be over by now, without them.
  return impl_->with(model, name, [](CacheSlot& slot) { return slot.remove(); });
}

void CacheStore::sweep() {
  const ChangeNotice notice(impl_.get());
  for (const std::string& model : impl_->folders()) {
    (void)impl_->scan(model);
    for (const auto& [name, kin] : impl_->index.family(model)) {
      if (has_expired(kin.expires_at, impl_->now())) (void)impl_->remove_expired(model, name);
    }
  }
}

}  // namespace rockllama
