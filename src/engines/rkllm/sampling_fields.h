// Sampling fields between our values and the vendor's structs, which name them alike in RKLLMParam and (1.3.0)
// RKLLMSamplingParam.
#pragma once

#include <optional>

#include "domain/generation.h"

namespace rockllama::rkllm {

// An unset value leaves the field as it is.
template <class From, class To>
void set(const std::optional<From>& value, To* field) {
  if (value) *field = static_cast<To>(*value);
}

template <class Fields>
void set_sampling(const SamplingParams& sampling, Fields* fields) {
  set(sampling.top_k, &fields->top_k);
  set(sampling.top_p, &fields->top_p);
  set(sampling.temperature, &fields->temperature);
  set(sampling.repeat_penalty, &fields->repeat_penalty);
  set(sampling.frequency_penalty, &fields->frequency_penalty);
  set(sampling.presence_penalty, &fields->presence_penalty);
  set(sampling.mirostat, &fields->mirostat);
  set(sampling.mirostat_tau, &fields->mirostat_tau);
  set(sampling.mirostat_eta, &fields->mirostat_eta);
}

template <class From, class To>
void copy_sampling(const From& from, To* to) {
  to->top_k = from.top_k;
  to->top_p = from.top_p;
  to->temperature = from.temperature;
  to->repeat_penalty = from.repeat_penalty;
  to->frequency_penalty = from.frequency_penalty;
  to->presence_penalty = from.presence_penalty;
  to->mirostat = from.mirostat;
  to->mirostat_tau = from.mirostat_tau;
  to->mirostat_eta = from.mirostat_eta;
}

}  // namespace rockllama::rkllm
