// Measures the limit of a burst, straight on libllama: the suffixes of several requests in one decode call over one
// prefix whose cells they share, and the first token of each. bench/compare runs it.
#include <llama.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

constexpr int kRounds = 7;

struct Sizes {
  int prefix;  // tokens
  int suffix;  // tokens of each request
  int requests;
  int threads;
};

using Model = std::unique_ptr<llama_model, decltype(&llama_model_free)>;
using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Context make_context(llama_model* model, const Sizes& sizes) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(sizes.prefix + sizes.suffix * sizes.requests + 256);
  params.n_batch = params.n_ubatch = static_cast<uint32_t>(std::max(sizes.suffix * sizes.requests, 512));
  params.n_seq_max = static_cast<uint32_t>(sizes.requests + 1);
  params.n_threads = params.n_threads_batch = sizes.threads;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.kv_unified = true;
  return {llama_init_from_model(model, params), llama_free};
}

// Any tokens: the work is the same for all.
void add(llama_batch* batch, int position, int sequence, bool wants_logits) {
  const int index = batch->n_tokens++;
  batch->token[index] = 100 + (position * 7 + sequence * 31) % 1000;
  batch->pos[index] = position;
  batch->n_seq_id[index] = 1;
  batch->seq_id[index][0] = sequence;
  batch->logits[index] = wants_logits ? 1 : 0;
}

bool prefill_prefix(llama_context* context, llama_batch* batch, const Sizes& sizes) {
  const int most = static_cast<int>(llama_n_batch(context));
  for (int done = 0; done < sizes.prefix; done += most) {
    batch->n_tokens = 0;
    for (int i = done; i < std::min(done + most, sizes.prefix); ++i) add(batch, i, 0, false);
    if (llama_decode(context, *batch) != 0) return false;
  }
  return true;
}

// -1 when it fails.
double time_burst(llama_context* context, llama_batch* batch, const Sizes& sizes) {
  llama_memory_t memory = llama_get_memory(context);
  for (int request = 1; request <= sizes.requests; ++request) llama_memory_seq_rm(memory, request, -1, -1);
  const double began = now_ms();
  batch->n_tokens = 0;
  for (int request = 1; request <= sizes.requests; ++request) {
    llama_memory_seq_cp(memory, 0, request, 0, sizes.prefix);
    for (int i = 0; i < sizes.suffix; ++i) add(batch, sizes.prefix + i, request, i + 1 == sizes.suffix);
  }
  if (llama_decode(context, *batch) != 0) return -1;
  llama_synchronize(context);
  return now_ms() - began;
}

double median_burst(llama_context* context, const Sizes& sizes) {
  llama_batch batch = llama_batch_init(static_cast<int32_t>(llama_n_batch(context)), 0, 1);
  std::vector<double> times;
  if (prefill_prefix(context, &batch, sizes)) {
    for (int round = 0; round < kRounds; ++round) times.push_back(time_burst(context, &batch, sizes));
  }
  llama_batch_free(batch);
  if (times.empty()) return -1;
  std::sort(times.begin(), times.end());
  return times.front() < 0 ? -1 : times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "shared_prefix_bench MODEL.gguf PREFIX_TOKENS SUFFIX_TOKENS REQUESTS THREADS\n");
    return 2;
  }
  const Sizes sizes{std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5])};
  if (sizes.prefix < 1 || sizes.suffix < 1 || sizes.requests < 1 || sizes.requests > 64 || sizes.threads < 1) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  const Model model(llama_model_load_from_file(argv[1], llama_model_default_params()), llama_model_free);
  const Context context = model ? make_context(model.get(), sizes) : Context(nullptr, llama_free);
  const double ms = context ? median_burst(context.get(), sizes) : -1;
  if (ms < 0) {
    std::fprintf(stderr, "the model could not be loaded or run\n");
    return 1;
  }
  std::printf("{\"prefix\": %d, \"suffix\": %d, \"requests\": %d, \"ms\": %.2f}\n", sizes.prefix, sizes.suffix,
              sizes.requests, ms);
  return 0;
}
