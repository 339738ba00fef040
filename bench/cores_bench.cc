// Google Benchmark over the pure cores that every request or every token goes through. bench/cores runs it.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <vector>

#include "api/completion_encoder.h"
#include "engine/cut_plan.h"
#include "engines/llama_cpp/prefix_index.h"
#include "protocol/codec.h"
#include "scheduler/request_queue.h"
#include "worker/state_index.h"
#include "worker/text_assembler.h"

namespace rockllama {
namespace {

constexpr uint32_t kBlockTokens = 256;
constexpr uint32_t kPromptTokens = 2900;

// Prompts of different variants differ from their second token on.
std::vector<int32_t> prompt(uint32_t tokens, int32_t variant) {
  std::vector<int32_t> ids(tokens);
  std::iota(ids.begin(), ids.end(), variant);
  ids.front() = 1;
  return ids;
}

// -- once per request ----------------------------------------------------------------------------------------------

void plan_of_cuts(benchmark::State& state) {
  const auto tokens = static_cast<uint32_t>(state.range(0));
  const std::vector<int32_t> whole = prompt(tokens, 0);
  const std::vector<int32_t> prefix(whole.begin(), whole.end() - 20);
  const std::vector<uint32_t> cuts = block_cuts(0, tokens - 20, kBlockTokens);
  for (auto _ : state) benchmark::DoNotOptimize(plan_cuts(whole, prefix, cuts, kBlockTokens));
}
BENCHMARK(plan_of_cuts)->Arg(365)->Arg(8000);

void choice_among_conversations(benchmark::State& state) {
  PrefixIndex index(false);
  for (int32_t i = 0; i < state.range(0); ++i) {
    uint64_t id = 0;
    AutomaticPrefix prefix{.tokens = prompt(kPromptTokens, i), .cuts = block_cuts(0, kPromptTokens, kBlockTokens)};
    prefix.generated_from = kPromptTokens;
    benchmark::DoNotOptimize(index.add(std::move(prefix), i, &id));
  }
  const std::vector<int32_t> tokens = prompt(kPromptTokens + 40, 0);
  const std::vector<uint32_t> cuts = block_cuts(0, kPromptTokens + 40, kBlockTokens);
  const auto usable = [](const AutomaticPrefix&, uint32_t) { return true; };
  for (auto _ : state) benchmark::DoNotOptimize(index.best({.tokens = tokens, .cuts = cuts}, usable));
}
BENCHMARK(choice_among_conversations)->Arg(10)->Arg(1000);

KnownState known_state(int32_t i) {
  const std::vector<int32_t> tokens = prompt(365, i);
  KnownState known;
  known.key = {.id = "cache-" + std::to_string(i), .tokens = 365, .token_hash = hash_tokens(tokens)};
  known.anchor = anchor_of(tokens);
  known.cuts = {256, 365};
  return known;
}

void search_among_states(benchmark::State& state) {
  StateIndex index;
  protocol::KnownStates all;
  for (int32_t i = 0; i < state.range(0); ++i) all.added.push_back(known_state(i));
  index.apply(std::move(all));
  const std::vector<int32_t> tokens = prompt(kPromptTokens, 0);
  for (auto _ : state) benchmark::DoNotOptimize(index.find(tokens));
}
BENCHMARK(search_among_states)->Arg(10)->Arg(10000);

// All the room is taken, and all others could start.
void turn_of_callers(benchmark::State& state) {
  RequestQueue queue(4);
  queue.worker_ready();
  for (RequestId id = 1; id <= static_cast<RequestId>(state.range(0)); ++id) {
    queue.add(id, RequestQueue::Kind::kGeneration, {.caller = "caller-" + std::to_string(id % 16)});
  }
  for (const RequestQueue::Action& action : queue.next()) {
    queue.prepared(action.id);
    queue.startable(action.id);
  }
  for (auto _ : state) benchmark::DoNotOptimize(queue.next());
}
BENCHMARK(turn_of_callers)->Arg(8)->Arg(64);

// -- once per token ------------------------------------------------------------------------------------------------

void text_of_a_token(benchmark::State& state) {
  TextAssembler assembler({"\nUser:", "###"});
  for (auto _ : state) benchmark::DoNotOptimize(assembler.push(" harbour"));
}
BENCHMARK(text_of_a_token);

void frame_of_a_token(benchmark::State& state) {
  const protocol::Event event = protocol::Tokens{77, 1, {" harbour"}};
  for (auto _ : state) benchmark::DoNotOptimize(protocol::decode_event(protocol::encode(event)));
}
BENCHMARK(frame_of_a_token);

void event_of_a_token(benchmark::State& state) {
  api::CompletionEncoder encoder({.request_id = "req-1234", .created = 1'800'000'000, .include_usage = true});
  encoder.set_model("smollm2-135m", "");
  const AnswerPiece piece{.text = " harbour"};
  for (auto _ : state) benchmark::DoNotOptimize(encoder.piece(0, piece));
}
BENCHMARK(event_of_a_token);

}  // namespace
}  // namespace rockllama

BENCHMARK_MAIN();
