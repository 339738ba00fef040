// What the runtime's thread does for one task: the sequences of calls that bring a state in, run, and take a state out.
// Block; may crash or hang with the vendor's code.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/question.h"
#include "engine/pooling.h"
#include "engines/rkllm/runtime.h"
#include "engines/rkllm/state_files.h"

namespace rockllama::rkllm {

struct GenerationJob {
  RunRequest request;
  int state_file = -1;  // payload of the state to begin from, borrowed until the job is done; -1 = none
  // Called before each piece is taken; false ends the run.
  std::function<bool()> may_go_on{};
  // False ends the run: it was the last that is wanted.
  std::function<bool(const Piece&)> on_piece{};
};

struct GenerationReport {
  Result<RunResult> result;
  bool state_loaded = false;
  std::string state_problem{};  // why it was not
  double restore_ms = 0;        // to bring the state in
};

struct SaveJob {
  RunRequest request;  // over the prefix
  int file = -1;       // gets the state; borrowed
  std::function<bool()> may_go_on{};
};

struct SaveReport {
  uint64_t bytes = 0;
  double first_token_ms = 0;  // from the start of the prefill
  std::optional<PerfStats> perf{};
};

struct EmbeddingJob {
  std::vector<RunRequest> requests;  // a vector of each
  Pooler pooler;
  std::function<bool()> may_go_on{};
  // After each request: the tokens of all so far.
  std::function<void(uint32_t)> on_progress{};
};

class RuntimeJobs {
 public:
  RuntimeJobs(Runtime* runtime, StateFiles files) : runtime_(runtime), files_(std::move(files)) {}

  [[nodiscard]] GenerationReport generate(GenerationJob job);
  // One token is generated, because the runtime writes a state at the end of a run. The file counts only if the
  // runtime can load it again. kCancelled; kUnsupported where the runtime writes none; kNoSpace, kIo, kInternal.
  [[nodiscard]] Result<SaveReport> save(SaveJob job);

  // kCancelled; kUnsupported where the runtime gives no hidden states; else as Runtime::run.
  [[nodiscard]] Result<Embeddings> embed(EmbeddingJob job);

 private:
  Status load(const GenerationJob& job);
  [[nodiscard]] Status check_saved();

  Runtime* runtime_;
  StateFiles files_;
};

}  // namespace rockllama::rkllm
