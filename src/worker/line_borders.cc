#include "worker/line_borders.h"

#include <ctime>
#include <utility>
#include <vector>

#include "chat/chat_prompt.h"
#include "engine/cut_plan.h"

namespace rockllama {
namespace {

// Lines whose borders are remembered: named caches in use, and system messages of conversations.
constexpr size_t kRememberedBorders = 32;

// Without a tokenizer: English has a little more. What does not fit kills some runtimes, so little is risked.
constexpr size_t kUsualBytesPerToken = 4;

int today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_year * 366 + local.tm_yday;
}

}  // namespace

uint32_t token_count(const PreparerModel& model, size_t size) {
  return static_cast<uint32_t>(model.counts_bytes ? size / kUsualBytesPerToken : size);
}

Result<RenderedChat> render_chat(const PreparerModel& model, const CacheLine& line, const ChatPrompt& prompt) {
  if (!model.chat_template) return fail(model.chat_template.error());
  if (!prompt.tools.empty() && prompt.tool_choice != ToolChoice::kNone && !model.chat_template->takes_tools()) {
    return fail(ErrorCode::kUnsupported, "This model's chat template prints no tools.", "tools");
  }
  const bool one_system_message = !model.chat_template->takes_many_system_messages();
  return model.chat_template->render_for_answer(behind_line(line, without_repeats(line, prompt), one_system_message));
}

Result<std::string> raw_text(const CacheLine& line) {
  std::string text;
  for (const CacheContent& content : line) {
    if (!content.is_text()) return fail(ErrorCode::kUnsupported, "a cache of messages has no raw rendering");
    text += content.text;
  }
  return text;
}

LineBorders::LineBorders(std::shared_ptr<const PreparerModel> model)
    : model_(std::move(model)), memo_(kRememberedBorders) {}

Result<std::shared_ptr<const LineBorder>> LineBorders::get(const CacheLine& line, StateFormat format) {
  return memo_.get(format, line, today(), [&] { return find(line, format); });
}

// A cut at every ancestor's border that is a border of this line's tokens, too: so both share cuts and bits.
Result<LineBorder> LineBorders::find(const CacheLine& line, StateFormat format) {
  auto border = border_of(line, format);
  if (!border) return fail(border.error());
  std::vector<uint32_t> borders;
  for (size_t size = 1; size < line.size(); ++size) {
    const auto ancestor = get(CacheLine(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(size)), format);
    if (!ancestor) continue;
    const std::vector<int32_t>& tokens = (*ancestor)->tokens;
    if (common_prefix(tokens, border->tokens) == tokens.size()) {
      borders.push_back(static_cast<uint32_t>(tokens.size()));
    }
  }
  borders.push_back(static_cast<uint32_t>(border->tokens.size()));
  return LineBorder{std::move(border->tokens), border_cuts(borders, model_->block_tokens), std::move(border->note)};
}

Result<Border> LineBorders::border_of(const CacheLine& line, StateFormat format) const {
  if (format == StateFormat::kChat) {
    if (!model_->chat_template) return fail(model_->chat_template.error());
    return chat_border(*model_->chat_template, model_->tokenize_chat, line);
  }
  const auto text = raw_text(line);
  if (!text) return fail(text.error());
  return text_border(model_->tokenize_text, *text);
}

}  // namespace rockllama
