#include "api/response_store.h"

#include <iterator>
#include <utility>

namespace rockllama::api {
namespace {

size_t bytes_of(const ChatMessage& message) {
  size_t bytes = sizeof(ChatMessage) + message.content.size() + message.name.size() + message.tool_call_id.size() +
                 message.reasoning_content.size();
  for (const ToolCall& call : message.tool_calls) {
    bytes += sizeof(ToolCall) + call.id.size() + call.name.size() + call.arguments.size();
  }
  return bytes;
}

}  // namespace

size_t StoredResponse::bytes() const {
  size_t total = sizeof(StoredResponse) + json.size();
  for (const ChatMessage& message : messages) total += bytes_of(message);
  return total;
}

void ResponseStore::put(const std::string& id, StoredResponse response) {
  const size_t bytes = response.bytes();
  if (limits_.entries == 0 || bytes > limits_.bytes) return;
  const std::lock_guard lock(mutex_);
  if (const auto known = by_id_.find(id); known != by_id_.end()) drop(known->second);
  while (slots_.size() >= limits_.entries || bytes_ + bytes > limits_.bytes) drop(std::prev(slots_.end()));
  slots_.push_front({id, std::make_shared<const StoredResponse>(std::move(response))});
  by_id_[id] = slots_.begin();
  bytes_ += bytes;
}

ResponseStore::Entry ResponseStore::find(const std::string& id, const Hash128& owner) {
  const std::lock_guard lock(mutex_);
  const auto slot = slot_of(id, owner);
  if (slot == slots_.end()) return nullptr;
  slots_.splice(slots_.begin(), slots_, slot);
  return slot->entry;
}

bool ResponseStore::remove(const std::string& id, const Hash128& owner) {
  const std::lock_guard lock(mutex_);
  const auto slot = slot_of(id, owner);
  if (slot == slots_.end()) return false;
  drop(slot);
  return true;
}

void ResponseStore::drop(Slots::iterator slot) {
  bytes_ -= slot->entry->bytes();
  by_id_.erase(slot->id);
  slots_.erase(slot);
}

ResponseStore::Slots::iterator ResponseStore::slot_of(const std::string& id, const Hash128& owner) {
  const auto found = by_id_.find(id);
  const bool is_own = found != by_id_.end() && found->second->entry->owner == owner;
  return is_own ? found->second : slots_.end();
}

}  // namespace rockllama::api
