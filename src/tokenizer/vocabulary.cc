#include "tokenizer/vocabulary.h"

#include <llama.h>

#include <exception>
#include <limits>

#include "tokenizer/llama_log.h"

namespace rockllama {
namespace {

constexpr size_t kMaxTextBytes = std::numeric_limits<int32_t>::max() / 2;

std::string bytes_of(const llama_vocab* vocab, int32_t token, bool spell_control) {
  if (token < 0 || token >= llama_vocab_n_tokens(vocab)) return {};
  std::string bytes(32, '\0');
  int32_t length =
      llama_token_to_piece(vocab, token, bytes.data(), static_cast<int32_t>(bytes.size()), 0, spell_control);
  if (length < 0) {
    bytes.resize(static_cast<size_t>(-length));
    length = llama_token_to_piece(vocab, token, bytes.data(), -length, 0, spell_control);
  }
  bytes.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return bytes;
}

}  // namespace

Result<Vocabulary> Vocabulary::load(const std::string& path) {
  quiet_llama_log();
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  std::shared_ptr<llama_model> model(llama_model_load_from_file(path.c_str(), params), llama_model_free);
  if (!model) return fail(ErrorCode::kInvalidArgument, "The file holds no vocabulary that llama.cpp can read.");
  Vocabulary vocabulary(std::move(model));
  if (vocabulary.size() == 0) return fail(ErrorCode::kInvalidArgument, "The file's vocabulary is empty.");
  return vocabulary;
}

Vocabulary::Vocabulary(std::shared_ptr<llama_model> model)
    : model_(std::move(model)), vocab_(llama_model_get_vocab(model_.get())) {}

Result<std::vector<int32_t>> Vocabulary::tokenize(std::string_view text, bool add_special, bool parse_special) const
    try {
  if (text.size() > kMaxTextBytes) return fail(ErrorCode::kTooLarge, "The text is too long to be tokenized.");
  const auto bytes = static_cast<int32_t>(text.size());
  // No token is shorter than a byte, but an empty text may get special tokens at both ends.
  std::vector<int32_t> tokens(text.size() + 4);
  const auto fill = [&] {
    return llama_tokenize(vocab_, text.data(), bytes, tokens.data(), static_cast<int32_t>(tokens.size()), add_special,
                          parse_special);
  };
  int32_t count = fill();
  if (count < 0) {
    tokens.resize(static_cast<size_t>(-count));
    count = fill();
  }
  if (count < 0) return fail(ErrorCode::kInvalidArgument, "The text cannot be tokenized.");
  tokens.resize(static_cast<size_t>(count));
  return tokens;
} catch (const std::exception& error) {
  return fail(ErrorCode::kInvalidArgument, std::string("The text cannot be tokenized: ") + error.what());
}

Result<std::vector<int32_t>> Vocabulary::tokenize_text(std::string_view text) const {
  return tokenize(text, /*add_special=*/true, /*parse_special=*/true);
}

Result<std::vector<int32_t>> Vocabulary::tokenize_chat(std::string_view rendered) const {
  Result<std::vector<int32_t>> tokens = tokenize(rendered, /*add_special=*/false, /*parse_special=*/true);
  const int32_t bos = llama_vocab_bos(vocab_);
  const bool wants_bos = llama_vocab_get_add_bos(vocab_) && bos != LLAMA_TOKEN_NULL;
  if (tokens && wants_bos && (tokens->empty() || tokens->front() != bos)) tokens->insert(tokens->begin(), bos);
  return tokens;
}

std::vector<int32_t> Vocabulary::tokens_of(std::string_view text) const {
  return tokenize(text, /*add_special=*/false, /*parse_special=*/true).value_or(std::vector<int32_t>());
}

Result<std::vector<int32_t>> Vocabulary::infill(const std::vector<int32_t>& before,
                                                const std::vector<int32_t>& behind) const {
  const int32_t before_mark = llama_vocab_fim_pre(vocab_);
  const int32_t behind_mark = llama_vocab_fim_suf(vocab_);
  const int32_t answer_mark = llama_vocab_fim_mid(vocab_);
  if (before_mark == LLAMA_TOKEN_NULL || behind_mark == LLAMA_TOKEN_NULL || answer_mark == LLAMA_TOKEN_NULL) {
    return fail(ErrorCode::kUnsupported, "This model's vocabulary has no tokens for filling in the middle.");
  }
  std::vector<int32_t> tokens;
  const int32_t bos = llama_vocab_bos(vocab_);
  if (llama_vocab_get_add_bos(vocab_) && bos != LLAMA_TOKEN_NULL) tokens.push_back(bos);
  tokens.push_back(before_mark);
  tokens.insert(tokens.end(), before.begin(), before.end());
  tokens.push_back(behind_mark);
  tokens.insert(tokens.end(), behind.begin(), behind.end());
  tokens.push_back(answer_mark);
  return tokens;
}

std::string Vocabulary::piece(int32_t token) const { return bytes_of(vocab_, token, /*spell_control=*/false); }

std::string Vocabulary::name(int32_t token) const { return bytes_of(vocab_, token, /*spell_control=*/true); }

bool Vocabulary::is_end_of_generation(int32_t token) const { return llama_vocab_is_eog(vocab_, token); }

uint32_t Vocabulary::size() const { return static_cast<uint32_t>(llama_vocab_n_tokens(vocab_)); }

}  // namespace rockllama
