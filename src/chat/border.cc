#include "chat/border.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

namespace rockllama {
namespace {

// First characters of every kind that a tokenizer may join with what stands before them.
constexpr std::array<std::string_view, 6> kTextContinuations = {"", "a", " b", "\n", "0", "\xe4\xbd\xa0"};

template <class T>
void keep_common_prefix(T* prefix, const T& other) {
  const auto size = static_cast<std::ptrdiff_t>(std::min(prefix->size(), other.size()));
  const auto end = std::mismatch(prefix->begin(), prefix->begin() + size, other.begin()).first;
  prefix->erase(end, prefix->end());
}

// Keeps of a first value what all later ones begin with too.
template <class T>
class CommonPrefix {
 public:
  void add(const T& value) {
    if (prefix_) {
      keep_common_prefix(&*prefix_, value);
    } else {
      prefix_ = value;
    }
  }
  [[nodiscard]] const T& get() const { return *prefix_; }

 private:
  std::optional<T> prefix_;
};

// Another system message and a user message part at their roles, mostly; where there can be no second system message,
// what a user may begin with decides.
std::vector<std::vector<ChatMessage>> chat_continuations(const ChatTemplate& chat_template) {
  if (chat_template.takes_many_system_messages()) {
    return {{{"user", "a"}}, {{"user", "\n"}}, {{"system", "Other."}, {"user", "a"}}};
  }
  return {{{"user", "a"}}, {{"user", "Zeta? 1"}}, {{"user", " b"}}, {{"user", "\n"}}, {{"user", "0"}}};
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Whether the template added today's date to the text, in one of the usual forms.
bool prints_date(const std::string& rendered, const std::string& text) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  for (const char* form : {"%d %b %Y", "%b %d %Y", "%Y-%m-%d", "%d %B %Y", "%B %d, %Y"}) {
    std::array<char, 64> date{};
    const std::string_view printed(date.data(), std::strftime(date.data(), date.size(), form, &local));
    if (rendered.find(printed) != std::string::npos && text.find(printed) == std::string::npos) return true;
  }
  return false;
}

std::string note_of(const std::string& rendered, const std::string& text) {
  if (rendered.find(trimmed(text)) == std::string::npos) {
    return "the chat template does not put the whole text before what follows it, so only a part can be reused";
  }
  if (prints_date(rendered, text)) return "the chat template prints the date, so the state lasts for a day";
  return {};
}

}  // namespace

Result<Border> chat_border(const ChatTemplate& chat_template, const Tokenize& tokenize, const std::string& text) {
  CommonPrefix<std::vector<int32_t>> tokens;
  CommonPrefix<std::string> rendered;
  for (std::vector<ChatMessage>& messages : chat_continuations(chat_template)) {
    messages.insert(messages.begin(), ChatMessage{"system", text});
    const auto prompt = chat_template.render(messages, /*enable_thinking=*/false, /*add_generation_prompt=*/true);
    if (!prompt) return fail(prompt.error());
    const auto prompt_tokens = tokenize(*prompt);
    if (!prompt_tokens) return fail(prompt_tokens.error());
    rendered.add(*prompt);
    tokens.add(*prompt_tokens);
  }
  return Border{tokens.get(), note_of(rendered.get(), text)};
}

Result<Border> text_border(const Tokenize& tokenize, const std::string& text) {
  CommonPrefix<std::vector<int32_t>> tokens;
  for (const std::string_view continuation : kTextContinuations) {
    const auto continued = tokenize(text + std::string(continuation));
    if (!continued) return fail(continued.error());
    tokens.add(*continued);
  }
  return Border{tokens.get(), {}};
}

}  // namespace rockllama
