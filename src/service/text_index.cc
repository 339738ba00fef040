#include "service/text_index.h"

namespace rockllama {

void TextIndex::add(const std::string& name, StateFormat format, std::string_view text) {
  BySize& texts = format == StateFormat::kChat ? chat_ : raw_;
  texts[text.size()].push_back({hash_bytes(text), name});
}

std::optional<std::string> TextIndex::find(const BySize& texts, size_t size, std::string_view text) {
  const auto same_size = texts.find(size);
  if (same_size == texts.end()) return std::nullopt;
  const Hash128 hash = hash_bytes(text.substr(0, size));
  for (const Entry& entry : same_size->second) {
    if (entry.hash == hash) return entry.name;
  }
  return std::nullopt;
}

std::optional<std::string> TextIndex::find(const Prompt& prompt) const {
  if (const auto* chat = std::get_if<ChatPrompt>(&prompt)) {
    if (chat->messages.empty() || chat->messages.front().role != "system") return std::nullopt;
    const std::string& text = chat->messages.front().content;
    return find(chat_, text.size(), text);
  }
  const std::string& text = std::get<TextPrompt>(prompt).text;
  for (auto size = raw_.lower_bound(text.size()); size != raw_.end(); ++size) {
    if (auto name = find(raw_, size->first, text)) return name;
  }
  return std::nullopt;
}

}  // namespace rockllama
