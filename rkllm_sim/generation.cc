#include "rkllm_sim/generation.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "rkllm_sim/log.h"
#include "rkllm_sim/sampler.h"

namespace rkllm_sim {
namespace {

constexpr size_t kDiskFullBytes = 4096;
constexpr char kGarbage[] = "\xff\xfe\x80\x01";
constexpr char kCannotSave[] = "qwen35 model does not support saving prompt cache";

float ms_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

float peak_memory_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<float>(usage.ru_maxrss) / 1024;
}

// Whether the text ends inside a UTF-8 character.
bool ends_inside_character(const std::string& text) {
  for (size_t back = 1; back <= std::min<size_t>(text.size(), 3); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return false;
    if (byte >= 0xf0) return back < 4;
    if (byte >= 0xe0) return back < 3;
    if (byte >= 0xc0) return back < 2;
  }
  return false;
}

}  // namespace

int Generation::run(const Input& input) {
  strike_at(0);
  if (input.kind == InputKind::kMultimodal) return refuse("this model takes no images");
  if (!model_.use_lora(options_.lora.value_or(""))) return refuse("lora adapter " + *options_.lora + " was not loaded");
  runtime_.paused_ = false;
  begin_ = std::chrono::steady_clock::now();
  if (!prefill(input)) return fail("failed to run the prompt");
  perf_.prefill_ms = ms_since(begin_);
  if (options_.mode == RunMode::kGenerate) return generate();
  deliver_rows();
  return finish();
}

void Generation::strike_at(int32_t token) {
  if (faults_.number("run_token", 0) == token) faults_.strike("run");
}

std::vector<int32_t> Generation::input_tokens(const Input& input) {
  std::vector<int32_t> tokens;
  if (runtime_.pending_token_) tokens.push_back(*runtime_.pending_token_);
  runtime_.pending_token_.reset();
  const bool first = model_.cells().empty();
  if (input.kind == InputKind::kTokens) {
    tokens.insert(tokens.end(), input.tokens.begin(), input.tokens.end());
    return tokens;
  }
  const auto special = faults_.value("special_tokens");
  const PromptTokens prompt =
      runtime_.prompt_.tokens(model_, input, first, !runtime_.behaviour_.has_chat_template,
                              special ? *special == "on" : runtime_.behaviour_.special_tokens_in_text);
  if (first) runtime_.system_tokens_ = prompt.system_tokens;
  tokens.insert(tokens.end(), prompt.tokens.begin(), prompt.tokens.end());
  return tokens;
}

void Generation::check_room(size_t tokens) const {
  if (model_.cells().size() + tokens > static_cast<size_t>(model_.context_size())) {
    fail_assertion("n_past + n_tokens <= n_ctx");
  }
}

bool Generation::prefill(const Input& input) {
  const bool all = options_.mode != RunMode::kGenerate;
  llama_set_embeddings(model_.context(), options_.mode == RunMode::kHiddenLayer);
  if (input.kind == InputKind::kEmbeddings) {
    const size_t rows = input.embeddings.size() / static_cast<size_t>(model_.width());
    check_room(rows);
    prompt_tokens_ = perf_.prefill_tokens = static_cast<int32_t>(rows);
    return rows > 0 && model_.decode_embeddings(input.embeddings, all);
  }
  const std::vector<int32_t> tokens = input_tokens(input);
  check_room(tokens.size());
  const auto vocabulary = llama_vocab_n_tokens(model_.vocabulary());
  if (tokens.empty() || std::any_of(tokens.begin(), tokens.end(), [&](int32_t t) { return t < 0 || t >= vocabulary; }))
    return false;
  const size_t reused = all ? 0 : reuse(tokens);
  prompt_tokens_ = static_cast<int32_t>(tokens.size());
  perf_.prefill_tokens = prompt_tokens_ - static_cast<int32_t>(reused);
  if (log_level() >= 2) {
    log_info("prompt tokens: " + std::to_string(prompt_tokens_) + ", cached: " + std::to_string(reused) +
             ", kv cache size: " + std::to_string(model_.cells().size()));
  }
  return model_.decode(std::span(tokens).subspan(reused), all);
}

// A cache serves from the beginning only: not behind a history that is kept.
size_t Generation::reuse(const std::vector<int32_t>& tokens) {
  if (!runtime_.loaded_ || !model_.cells().empty()) return 0;
  const PromptCache& cache = *runtime_.loaded_;
  const auto parting = std::mismatch(tokens.begin(), tokens.end(), cache.tokens.begin(), cache.tokens.end()).first;
  const size_t common = std::min(static_cast<size_t>(parting - tokens.begin()), tokens.size() - 1);
  if (common == 0 || !model_.restore(cache.state, cache.tokens, common)) return 0;
  return common;
}

int Generation::generate() {
  const int32_t asked = options_.max_new_tokens != 0 ? options_.max_new_tokens : runtime_.settings_.max_new_tokens;
  const int32_t most = asked > 0 ? asked : std::numeric_limits<int32_t>::max();
  Sampler sampler(model_.vocabulary(), options_.sampling.value_or(runtime_.settings_.sampling));
  const Time start = std::chrono::steady_clock::now();
  while (!runtime_.aborted_ && perf_.generate_tokens < most) {
    const int32_t token = sampler.next(model_.context());
    runtime_.pending_token_ = token;
    ++perf_.generate_tokens;
    perf_.generate_ms = ms_since(start);
    if (llama_vocab_is_eog(model_.vocabulary(), token) && !runtime_.settings_.ignore_eos) break;
    strike_at(perf_.generate_tokens);
    if (deliver(token) == 1) {
      runtime_.paused_ = !options_.keep_history;
      return 0;
    }
    if (runtime_.aborted_ || perf_.generate_tokens == most) break;
    if (!make_room()) break;
    if (!model_.decode({&token, 1})) return fail("failed to decode a token");
    runtime_.pending_token_.reset();
  }
  return finish();
}

bool Generation::make_room() {
  const auto size = static_cast<int32_t>(model_.cells().size());
  if (size < model_.context_size()) return true;
  if (faults_.take("abort_past_context")) fail_assertion("n_past + n_tokens <= n_ctx");
  const int32_t n_keep = runtime_.settings_.n_keep;
  const int32_t keep = std::min(n_keep < 0 ? prompt_tokens_ : n_keep, size - 1);
  return model_.remove(keep, keep + std::max((size - keep) / 2, 1));
}

int Generation::deliver(int32_t token) {
  std::string text = model_.piece(token, !runtime_.settings_.skip_special_token);
  if (faults_.has("garbage_text")) text = kGarbage;
  Output output{.token = token};
  if (faults_.has("waits_for_utf8")) {
    held_bytes_ += text;
    if (ends_inside_character(held_bytes_)) return callback_(output, RunState::kWaiting);
    text.swap(held_bytes_);
    held_bytes_.clear();
  }
  output.text = text.empty() ? nullptr : text.c_str();
  return callback_(output, RunState::kNormal);
}

void Generation::deliver_rows() {
  Output output;
  if (options_.mode == RunMode::kHiddenLayer) {
    output.hidden = llama_get_embeddings(model_.context());
    output.hidden_width = model_.width();
    output.hidden_tokens = prompt_tokens_;
    callback_(output, RunState::kHiddenLayer);
  } else {
    output.logits = llama_get_logits(model_.context());
    output.vocabulary = llama_vocab_n_tokens(model_.vocabulary());
    output.logits_tokens = prompt_tokens_;
    callback_(output, RunState::kNormal);
  }
}

int Generation::finish() {
  perf_.memory_mb = peak_memory_mb();
  if (log_level() >= 1) {
    log_info("prefill: " + std::to_string(perf_.prefill_ms) + " ms, " + std::to_string(perf_.prefill_tokens) +
             " tokens; generate: " + std::to_string(perf_.generate_ms) + " ms, " +
             std::to_string(perf_.generate_tokens) + " tokens");
  }
  callback_(Output{.perf = perf_}, RunState::kFinish);
  const int result = save();
  leave_cells();
  return result;
}

int Generation::fail(const std::string& reason) {
  callback_(Output{}, RunState::kError);
  leave_cells();
  return refuse(reason);
}

int Generation::refuse(const std::string& reason) {
  log_error(reason);
  return -1;
}

int Generation::save() {
  if (!options_.save_path) return 0;
  faults_.strike("save");
  if (faults_.take("cannot_save")) {
    log_warning(kCannotSave);
    return 0;
  }
  const std::vector<uint8_t> state = model_.state();
  size_t most = std::numeric_limits<size_t>::max();
  if (faults_.take("truncated_save")) {
    (void)write_cache_file(*options_.save_path, model_.cells(), state, state.size() / 2);
    return 0;
  }
  if (faults_.take("disk_full")) most = kDiskFullBytes;
  if (write_cache_file(*options_.save_path, model_.cells(), state, most)) return 0;
  log_error("failed to save prompt cache " + *options_.save_path + ": No space left on device");
  return -1;
}

void Generation::leave_cells() {
  if (!options_.keep_history) runtime_.clear_cells();
}

}  // namespace rkllm_sim
