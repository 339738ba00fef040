// Any text, read as the answer of a model of each family, in three pieces: the first byte says which family, the second
// whether tools and reasoning are asked for, the next two where the text is cut. Calls must come one after the other,
// each with one id and one name.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "chat/answer_parser.h"
#include "template_families.h"

namespace {

using rockllama::AnswerPiece;
using rockllama::AnswerSyntax;

constexpr size_t kHead = 4;  // bytes before the text

std::shared_ptr<const AnswerSyntax> make_syntax(uint8_t family, bool tools, bool thinking) {
  rockllama::ChatPrompt chat{.messages = {{"user", "How is the weather in Bern?"}}, .enable_thinking = thinking};
  if (tools) {
    chat.tools = {{.name = "weather",
                   .description = "The weather of a city.",
                   .parameters = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"}};
  }
  const auto rendered = rockllama::family_of(family).render_for_answer(chat);
  return rendered ? rendered->syntax : nullptr;
}

const std::shared_ptr<const AnswerSyntax>& syntax_of(uint8_t family, uint8_t flags) {
  static std::map<std::pair<size_t, uint8_t>, std::shared_ptr<const AnswerSyntax>> known;
  const std::pair<size_t, uint8_t> key(family % rockllama::kFamilies, flags % 4);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known[key] = make_syntax(family, (flags & 1U) != 0, (flags & 2U) != 0);
}

class CallOrder {
 public:
  void check(const AnswerPiece& piece) {
    for (const rockllama::ToolCallDelta& delta : piece.tool_calls) {
      if (delta.id.empty() != delta.name.empty()) std::abort();
      const bool is_new = !delta.name.empty();
      if (is_new ? delta.index != calls_ : delta.index >= calls_) std::abort();
      if (is_new) ++calls_;
    }
  }

 private:
  uint32_t calls_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHead) return 0;
  const auto& syntax = syntax_of(data[0], data[1]);
  if (!syntax) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + kHead, size - kHead);
  std::array<size_t, 2> cuts = {std::min<size_t>(data[2], text.size()), std::min<size_t>(data[3], text.size())};
  std::sort(cuts.begin(), cuts.end());
  rockllama::AnswerParser parser(syntax);
  CallOrder order;
  order.check(parser.push(text.substr(0, cuts[0])));
  order.check(parser.push(text.substr(cuts[0], cuts[1] - cuts[0])));
  order.check(parser.finish(text.substr(cuts[1]), /*complete=*/(data[1] & 4U) == 0));
  return 0;
}
