#include "chat/border.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "chat/chat_prompt.h"

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

using Continuations = std::vector<std::vector<ChatMessage>>;

// One continuation alone would belong to the border itself.
constexpr int kFewestContinuations = 2;

// Where there can be no second system message, what a user may begin with decides.
Continuations user_turns() {
  return {{{"user", "a"}},  {{"user", "Zeta? 1"}}, {{"user", " b"}},
          {{"user", "\n"}}, {{"user", "\n x"}},    {{"user", "0"}}};
}

// Another system message and a user message part at their roles, mostly.
Continuations after_system(bool takes_many) {
  if (!takes_many) return user_turns();
  return {{{"user", "a"}}, {{"user", "\n"}}, {{"system", "Other."}, {"user", "a"}}};
}

Continuations after_assistant(bool takes_many) {
  Continuations all = user_turns();
  if (takes_many) all.push_back({{"system", "Other."}, {"user", "a"}});
  return all;
}

// An answer, another message of a user, or nothing: the answer is generated.
Continuations after_user() {
  return {{}, {{"assistant", "a"}, {"user", "a"}}, {{"assistant", "Zeta? 1"}, {"user", "a"}}, {{"user", "a"}}};
}

Continuations continuations_of(const CacheLine& line, bool takes_many) {
  const std::vector<ChatMessage> messages = chat_of(line).messages;
  if (messages.empty()) return user_turns();  // tools alone: many templates print them behind a system message
  if (std::all_of(messages.begin(), messages.end(), is_system)) return after_system(takes_many);
  const std::string& role = messages.back().role;
  if (role == "user" || role == "tool") return after_user();
  return after_assistant(takes_many);
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Whether the template added today's date to the messages, in one of the usual forms.
bool prints_date(const std::string& rendered, const std::vector<ChatMessage>& messages) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  for (const char* form : {"%d %b %Y", "%b %d %Y", "%Y-%m-%d", "%d %B %Y", "%B %d, %Y"}) {
    std::array<char, 64> date{};
    const std::string_view printed(date.data(), std::strftime(date.data(), date.size(), form, &local));
    const bool own = std::any_of(messages.begin(), messages.end(), [&](const ChatMessage& message) {
      return message.content.find(printed) != std::string::npos;
    });
    if (!own && rendered.find(printed) != std::string::npos) return true;
  }
  return false;
}

std::string note_of(const std::string& rendered, const ChatPrompt& chat, bool takes_tools) {
  if (!chat.messages.empty() && rendered.find(trimmed(chat.messages.back().content)) == std::string::npos) {
    return "the chat template does not put the whole text before what follows it, so only a part can be reused";
  }
  if (!chat.tools.empty() && !takes_tools) {
    return "the chat template does not print tools, so those of the cache have no effect";
  }
  if (prints_date(rendered, chat.messages)) return "the chat template prints the date, so the state lasts for a day";
  return {};
}

}  // namespace

Result<Border> chat_border(const ChatTemplate& chat_template, const Tokenize& tokenize, const CacheLine& line) {
  const bool takes_many = chat_template.takes_many_system_messages();
  CommonPrefix<std::vector<int32_t>> tokens;
  CommonPrefix<std::string> rendered;
  int taken = 0;
  Error refusal;
  for (std::vector<ChatMessage>& messages : continuations_of(line, takes_many)) {
    const ChatPrompt chat = behind_line(line, {.messages = std::move(messages)}, !takes_many);
    const auto prompt = chat_template.render(chat, /*add_generation_prompt=*/true);
    if (!prompt) {
      refusal = prompt.error();
      continue;
    }
    const auto prompt_tokens = tokenize(*prompt);
    if (!prompt_tokens) return fail(prompt_tokens.error());
    rendered.add(*prompt);
    tokens.add(*prompt_tokens);
    ++taken;
  }
  if (taken < kFewestContinuations) return fail(refusal);
  return Border{tokens.get(), note_of(rendered.get(), chat_of(line), chat_template.takes_tools())};
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
