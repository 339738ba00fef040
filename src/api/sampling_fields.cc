#include "api/sampling_fields.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace rockllama::api {
namespace {

constexpr double kMaxInt32 = std::numeric_limits<int32_t>::max();

// Any integer is a seed; a negative one means a random one.
std::optional<uint32_t> read_seed(FieldReader* fields) {
  const Json* value = fields->find("seed");
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) return static_cast<uint32_t>(value->get<uint64_t>());
  if (value->is_number_integer()) return std::nullopt;  // negative
  if (value->is_number()) {
    const double number = value->get<double>();
    if (std::trunc(number) == number) {
      if (number < 0) return std::nullopt;
      return static_cast<uint32_t>(std::fmod(number, 4294967296.0));
    }
  }
  fields->bad("seed", "must be an integer");
  return std::nullopt;
}

std::optional<int32_t> token_id(const std::string& text) {
  int32_t id = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, id);
  if (parsed.ec != std::errc() || parsed.ptr != end || id < 0) return std::nullopt;
  return id;
}

std::vector<std::pair<int32_t, float>> read_logit_bias(FieldReader* fields) {
  const Json* object = fields->object("logit_bias");
  if (object == nullptr) return {};
  std::vector<std::pair<int32_t, float>> biases;
  FieldReader entries(*object, fields->path_of("logit_bias"));
  for (const auto& [key, value] : object->items()) {
    const auto id = token_id(key);
    if (!id) entries.bad(key, "must be a token id");
    if (value.is_null()) entries.bad(key, "must be a number");
    const auto bias = entries.number(key, {-100, 100});
    if (id && bias) biases.emplace_back(*id, *bias);
  }
  if (entries.error()) fields->fault(*entries.error());
  return biases;
}

}  // namespace

SamplingParams read_sampling(FieldReader* fields) {
  SamplingParams sampling;
  sampling.temperature = fields->number("temperature", {0, 2});
  sampling.top_p = fields->number("top_p", {0, 1});
  sampling.top_k = fields->integer("top_k", {-1, kMaxInt32});
  if (sampling.top_k == -1) sampling.top_k = 0;
  sampling.min_p = fields->number("min_p", {0, 1});
  sampling.repeat_penalty = fields->number("repeat_penalty", {0, 2, true});
  if (!sampling.repeat_penalty) sampling.repeat_penalty = fields->number("repetition_penalty", {0, 2, true});
  sampling.frequency_penalty = fields->number("frequency_penalty", {-2, 2});
  sampling.presence_penalty = fields->number("presence_penalty", {-2, 2});
  sampling.mirostat = fields->integer("mirostat", {0, 2});
  sampling.mirostat_tau = fields->number("mirostat_tau", {0, 100});
  sampling.mirostat_eta = fields->number("mirostat_eta", {0, 1});
  sampling.seed = read_seed(fields);
  sampling.logit_bias = read_logit_bias(fields);
  return sampling;
}

}  // namespace rockllama::api
