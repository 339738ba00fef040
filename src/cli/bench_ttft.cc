#include "cli/bench_ttft.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/scratch_folder.h"
#include "cli/bench_prose.h"
#include "cli/bench_server.h"
#include "cli/ttft_probe.h"
#include "cli/ttft_report.h"

namespace rockllama {
namespace {

class TtftBenchmark {
 public:
  TtftBenchmark(const BenchTtftOptions& options, std::string scratch)
      : options_(options), server_options_{options.model, options.models_folder, std::move(scratch)} {}

  Result<std::vector<TtftRounds>> run() {
    if (const auto started = restart(); !started) return tl::unexpected(started.error());
    std::vector<TtftRounds> lengths;
    for (const int tokens : options_.prompt_tokens) {
      auto rounds = run_length(tokens);
      if (!rounds) return tl::unexpected(rounds.error());
      lengths.push_back(std::move(*rounds));
    }
    return lengths;
  }

 private:
  Result<TtftRounds> run_length(int tokens) {
    TtftRounds rounds;
    for (int round = 1; round <= options_.rounds; ++round) {
      std::fprintf(stderr, "about %d tokens, round %d of %d\n", tokens, round, options_.rounds);
      if (const auto done = run_round(tokens, round, &rounds); !done) return tl::unexpected(done.error());
    }
    return rounds;
  }

  Status run_round(int tokens, int round, TtftRounds* rounds) {
    const std::string name = "bench-" + std::to_string(tokens) + "-" + std::to_string(round);
    const std::string text = bench_prose(tokens, tokens + round);
    const TtftQuestion cold{.model = options_.model, .system = text};
    const TtftQuestion cached{.model = options_.model, .use_cache = name};
    // A first short chat, so that cold means the prompt and not the model's first touch.
    if (const auto warm = measure_ttft(server_->client(), {.model = options_.model}); !warm) return fail(warm.error());
    if (const auto status = measure(cold, &rounds->cold, rounds); !status) return status;
    if (const auto status = create_cache(name, text); !status) return status;
    if (const auto status = measure(cached, &rounds->cached, rounds); !status) return status;
    if (const auto status = measure(cached, &rounds->again, rounds); !status) return status;
    if (const auto status = restart(); !status) return status;
    return measure(cached, &rounds->restarted, rounds);
  }

  Status measure(const TtftQuestion& question, std::vector<double>* figures, TtftRounds* rounds) {
    const auto sample = measure_ttft(server_->client(), question);
    if (!sample) return fail(sample.error());
    if (question.use_cache.empty() && sample->reuse != Reuse::kNo) {
      return fail(ErrorCode::kInternal, "a cold request reused a state");
    }
    if (!question.use_cache.empty() && sample->reuse == Reuse::kNo) {
      return fail(ErrorCode::kInternal, "a request did not reuse " + question.use_cache);
    }
    rounds->unverified |= sample->reuse == Reuse::kUnverified;
    figures->push_back(sample->ttft_ms);
    rounds->prompt_tokens = std::max(rounds->prompt_tokens, sample->prompt_tokens);
    return {};
  }

  Status create_cache(const std::string& name, const std::string& text) {
    const nlohmann::json body = {{"cache_name", name}, {"prompt", text}, {"format", "chat"}};
    const auto answer = server_->client().request("POST", "/v1/cache/" + options_.model, body.dump());
    if (!answer) return fail(answer.error());
    if (answer->status != 200) return fail(ErrorCode::kInternal, "cache " + name + " was not made: " + answer->body);
    return {};
  }

  Status restart() {
    if (server_) server_->stop();
    server_.reset();
    auto server = BenchServer::start(server_options_);
    if (!server) return fail(server.error());
    server_.emplace(std::move(*server));
    return {};
  }

  const BenchTtftOptions& options_;
  const BenchServerOptions server_options_;
  std::optional<BenchServer> server_{};
};

int failed(const std::string& what) {
  std::fprintf(stderr, "rockllama bench ttft: %s\n", what.c_str());
  return 1;
}

}  // namespace

int run_bench_ttft(const BenchTtftOptions& options) {
  const auto scratch = ScratchFolder::make();
  if (!scratch) return failed(scratch.error().message);
  const auto lengths = TtftBenchmark(options, scratch->path()).run();
  if (!lengths) return failed(lengths.error().message);
  std::fputs(ttft_table(options.model, *lengths).c_str(), stdout);
  if (options.json_file.empty()) return 0;
  std::ofstream file(options.json_file);
  file << ttft_json(options.model, *lengths);
  return file.flush() ? 0 : failed("cannot write " + options.json_file);
}

}  // namespace rockllama
