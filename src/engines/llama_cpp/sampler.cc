#include "engines/llama_cpp/sampler.h"

#include <algorithm>
#include <random>
#include <vector>

namespace rockllama {
namespace {

constexpr size_t kPenaltyWindow = 64;  // tokens, as in llama-server
constexpr int32_t kMirostatCandidates = 100;

uint32_t seed_of(const SamplingParams& params) {
  // llama.cpp takes this one value to mean a random seed.
  if (params.seed) return *params.seed == LLAMA_DEFAULT_SEED ? LLAMA_DEFAULT_SEED - 1 : *params.seed;
  return std::random_device{}() % LLAMA_DEFAULT_SEED;
}

void add_bias(llama_sampler* chain, const SamplingParams& params, int32_t vocabulary_size) {
  std::vector<llama_logit_bias> bias;
  for (const auto& [token, value] : params.logit_bias) {
    if (token >= 0 && token < vocabulary_size) bias.push_back({token, value});
  }
  if (bias.empty()) return;
  llama_sampler_chain_add(
      chain, llama_sampler_init_logit_bias(vocabulary_size, static_cast<int32_t>(bias.size()), bias.data()));
}

void add_penalties(llama_sampler* chain, const SamplingParams& params, int32_t vocabulary_size) {
  const float repeat = params.repeat_penalty.value_or(1);
  const float frequency = params.frequency_penalty.value_or(0);
  const float presence = params.presence_penalty.value_or(0);
  if ((repeat == 1 || repeat <= 0) && frequency == 0 && presence == 0) return;
  llama_sampler_chain_add(chain, llama_sampler_init_penalties(vocabulary_size, kPenaltyWindow, repeat > 0 ? repeat : 1,
                                                              frequency, presence));
}

// common_sampler_init of llama.cpp drops the penalties here and aborts on a third kind: the reason for this file.
void add_mirostat(llama_sampler* chain, const SamplingParams& params, int32_t vocabulary_size) {
  const float tau = params.mirostat_tau.value_or(5.0F);
  const float eta = params.mirostat_eta.value_or(0.1F);
  const uint32_t seed = seed_of(params);
  llama_sampler_chain_add(chain, llama_sampler_init_temp(params.temperature.value_or(0.8F)));
  llama_sampler_chain_add(chain, *params.mirostat == 1
                                     ? llama_sampler_init_mirostat(vocabulary_size, seed, tau, eta, kMirostatCandidates)
                                     : llama_sampler_init_mirostat_v2(seed, tau, eta));
}

void add_truncation(llama_sampler* chain, const SamplingParams& params) {
  llama_sampler_chain_add(chain, llama_sampler_init_top_k(params.top_k.value_or(40)));
  llama_sampler_chain_add(chain, llama_sampler_init_top_p(params.top_p.value_or(0.95F), 1));
  llama_sampler_chain_add(chain, llama_sampler_init_min_p(params.min_p.value_or(0.05F), 1));
  llama_sampler_chain_add(chain, llama_sampler_init_temp(params.temperature.value_or(0.8F)));
  llama_sampler_chain_add(chain, llama_sampler_init_dist(seed_of(params)));
}

}  // namespace

Sampler::Sampler(const SamplingParams& params, uint32_t vocabulary_size, std::span<const int32_t> prompt) {
  llama_sampler_chain_params chain_params = llama_sampler_chain_default_params();
  chain_params.no_perf = true;
  chain_.reset(llama_sampler_chain_init(chain_params));
  const auto size = static_cast<int32_t>(vocabulary_size);
  const int32_t mirostat = params.mirostat.value_or(0);
  add_bias(chain_.get(), params, size);
  add_penalties(chain_.get(), params, size);
  if (params.temperature.value_or(1) <= 0) {
    llama_sampler_chain_add(chain_.get(), llama_sampler_init_greedy());
  } else if (mirostat == 1 || mirostat == 2) {
    add_mirostat(chain_.get(), params, size);
  } else {
    add_truncation(chain_.get(), params);
  }
  for (const int32_t token : prompt.last(std::min(prompt.size(), kPenaltyWindow))) {
    llama_sampler_accept(chain_.get(), token);
  }
}

llama_token_data_array Sampler::candidates_of(std::span<const float> logits) {
  candidates_.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) candidates_[i] = {static_cast<llama_token>(i), logits[i], 0};
  return {candidates_.data(), candidates_.size(), -1, false};
}

// A grammar is dear over a whole vocabulary, and mostly allows what the model wants: so it is asked last.
Result<int32_t> Sampler::sample(std::span<const float> logits) {
  llama_token_data_array candidates = candidates_of(logits);
  llama_sampler_apply(chain_.get(), &candidates);
  int32_t token = candidates.data[candidates.selected].id;
  if (grammar_ && !grammar_->allows(token)) {
    candidates = candidates_of(logits);
    grammar_->apply(&candidates);
    llama_sampler_apply(chain_.get(), &candidates);
    token = candidates.data[candidates.selected].id;
    if (!grammar_->allows(token)) return fail(ErrorCode::kInternal, "The grammar of the answer allows no token.");
  }
  llama_sampler_accept(chain_.get(), token);
  if (grammar_) {
    if (const Status status = grammar_->accept(token); !status) return fail(status.error());
  }
  return token;
}

}  // namespace rockllama
