#include "rkllm_sim/sampler.h"

#include <algorithm>
#include <random>

namespace rkllm_sim {
namespace {

constexpr int32_t kPenaltyWindow = 64;  // tokens
constexpr int32_t kMirostatCandidates = 100;

llama_sampler* mirostat(const llama_vocab* vocabulary, const Sampling& sampling, uint32_t seed) {
  if (sampling.mirostat == 2) return llama_sampler_init_mirostat_v2(seed, sampling.mirostat_tau, sampling.mirostat_eta);
  return llama_sampler_init_mirostat(llama_vocab_n_tokens(vocabulary), seed, sampling.mirostat_tau,
                                     sampling.mirostat_eta, kMirostatCandidates);
}

}  // namespace

Sampler::Sampler(const llama_vocab* vocabulary, const Sampling& sampling)
    : chain_(llama_sampler_chain_init(llama_sampler_chain_default_params())) {
  const auto add = [this](llama_sampler* each) { llama_sampler_chain_add(chain_, each); };
  const float repeat = sampling.repeat_penalty > 0 ? sampling.repeat_penalty : 1.0F;
  const uint32_t seed = std::random_device()();
  add(llama_sampler_init_penalties(llama_vocab_n_tokens(vocabulary), kPenaltyWindow, repeat, sampling.frequency_penalty,
                                   sampling.presence_penalty));
  if (sampling.temperature <= 0 || sampling.top_k == 1) {
    add(llama_sampler_init_greedy());
  } else if (sampling.mirostat == 1 || sampling.mirostat == 2) {
    add(llama_sampler_init_temp(sampling.temperature));
    add(mirostat(vocabulary, sampling, seed));
  } else {
    add(llama_sampler_init_top_k(sampling.top_k));
    add(llama_sampler_init_top_p(std::clamp(sampling.top_p, 0.0F, 1.0F), 1));
    add(llama_sampler_init_temp(sampling.temperature));
    add(llama_sampler_init_dist(seed));
  }
}

}  // namespace rkllm_sim
