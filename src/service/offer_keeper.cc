#include "service/offer_keeper.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "service/offer_decision.h"

namespace rockllama {

Result<PendingState> OfferKeeper::begin(const protocol::Offered& offer, const EngineFigures& figures) const {
  if (!context_->options.automatic_files) return fail(ErrorCode::kUnsupported, "cache.automatic_files is off");
  const StoreUse use = context_->store->use();
  uint64_t writing_bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, save] : saves_) writing_bytes += save.state.bytes;
  }
  if (const auto refusal = offer_refusal(offer, figures, use, writing_bytes)) {
    return fail(ErrorCode::kUnsupported, *refusal);
  }
  return context_->store->begin_automatic(model_, offer.bytes);
}

OfferKeeper::Answer OfferKeeper::answer(const protocol::Offered& offer, const EngineFigures& figures,
                                        const std::string& fingerprint) {
  const protocol::Keep command{.id = context_->next_id(), .offer = offer.offer};
  auto payload = begin(offer, figures);
  if (!payload) {
    const auto level = payload.error().code == ErrorCode::kUnsupported ? spdlog::level::debug : spdlog::level::warn;
    spdlog::log(level, "model {}: a prefix of {} tokens is not kept: {}", model_, offer.state.key.tokens,
                payload.error().message);
    return {command, {}};
  }
  UniqueFd file = payload->take_fd();
  const AutomaticState state{
      .known = offer.state, .bytes = offer.bytes, .value = offer.value, .fingerprint = fingerprint};
  const std::lock_guard lock(mutex_);
  saves_.emplace(command.id, Save{std::move(*payload), state});
  return {command, std::move(file)};
}

bool OfferKeeper::owns(RequestId id) const {
  const std::lock_guard lock(mutex_);
  return saves_.contains(id);
}

std::optional<OfferKeeper::Save> OfferKeeper::take(RequestId id) {
  const std::lock_guard lock(mutex_);
  auto node = saves_.extract(id);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void OfferKeeper::saved(const protocol::StateSaved& event) {
  auto save = take(event.id);
  if (!save) return;
  const StateKey& offered = save->state.known.key;
  if (event.state.tokens != offered.tokens || event.state.token_hash != offered.token_hash) {
    return spdlog::warn("model {}: another prefix was written than the one that was offered", model_);
  }
  save->state.bytes = event.state.bytes;
  const auto key = context_->store->commit_automatic(model_, std::move(save->payload), save->state);
  if (!key) return spdlog::warn("model {}: a prefix was not kept: {}", model_, key.error().message);
  spdlog::info("model {}: a prefix of {} tokens is kept on disk", model_, offered.tokens);
}

void OfferKeeper::failed(const protocol::Failed& event) {
  if (take(event.id)) spdlog::warn("model {}: a prefix was not kept: {}", model_, event.message);
}

void OfferKeeper::forget() {
  std::map<RequestId, Save> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(saves_);
}

}  // namespace rockllama
