// The KV buffer's accounts against what llama.cpp holds, over random conversations.
#include "engines/llama_cpp/kv_buffer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "engines/llama_cpp/decoder.h"
#include "tests/support/tiny_engine_model.h"

namespace rockllama {
namespace {

constexpr uint32_t kBlock = 16;
constexpr uint32_t kCells = 512;
constexpr uint32_t kParallel = 3;
constexpr size_t kConversations = 6;

struct LiveGeneration {
  GenerationTask task;
  Placement placement;
  size_t conversation = 0;
  uint32_t done = 0;
  std::vector<int32_t> decoded;
};

// Starts, prefills, decodes, ends, cancels and copies at random, as the engine would.
class RandomBuffer {
 public:
  explicit RandomBuffer(int seed, uint64_t memory_bytes) : random_(static_cast<uint32_t>(seed)) {
    model_ = tiny_model(TinyShape::kPlain);
    context_ = make_context(model_.get(), {.cells = kCells, .sequences = 8, .batch_tokens = kBlock}).value();
    layout_ = learn_layout(context_.get()).value();
    decoder_.emplace(context_.get(), &cancelled_);
    buffer_.emplace(context_.get(),
                    KvBufferSettings{.limits = {.cells = kCells, .generations = kParallel, .idle_residents = 2},
                                     .block_tokens = kBlock,
                                     .layout = layout_,
                                     .automatic = {.memory_bytes = memory_bytes, .offer_evicted = true}},
                    &speeds_,
                    KvBuffer::Hooks{.before_restore = [](const std::string&) {}, .offer = [](const PrefixOffered&) {}});
    for (size_t i = 0; i < kConversations; ++i) histories_.push_back(random_tokens(30));
  }

  void act() {
    switch (below(8)) {
      case 0:
      case 1:
        return start();
      case 2:
      case 3:
        return prefill();
      case 4:
      case 5:
        return decode();
      case 6:
        return end();
      default:
        static_cast<void>(buffer_->copy_one());
    }
  }

  void expect_accounts_right() {
    std::map<int32_t, uint32_t> held;
    for (const std::string& id : buffer_->ledger().residents()) {
      const Resident& resident = *buffer_->ledger().find(id);
      held[resident.sequence] = resident.tokens;
    }
    for (const LiveGeneration& one : live_) {
      held[one.placement.sequence] = one.done + static_cast<uint32_t>(one.decoded.size());
    }
    for (int32_t sequence = 0; sequence < 8; ++sequence) {
      const llama_pos last = llama_memory_seq_pos_max(llama_get_memory(context_.get()), sequence);
      ASSERT_EQ(last + 1, static_cast<llama_pos>(held.contains(sequence) ? held[sequence] : 0)) << sequence;
    }
    ASSERT_LE(buffer_->ledger().used_cells(), kCells);
  }

  size_t reused = 0;
  size_t beside = 0;  // began over as many cells as a running generation could share
  size_t from_memory = 0;
  size_t no_cells = 0;

 private:
  uint32_t below(size_t end) { return static_cast<uint32_t>(random_() % end); }
  std::vector<int32_t> random_tokens(size_t count) {
    std::vector<int32_t> tokens(count);
    for (int32_t& token : tokens) token = static_cast<int32_t>(below(1000));
    return tokens;
  }
  LiveGeneration* some() { return live_.empty() ? nullptr : &live_[below(live_.size())]; }
  static bool whole(const LiveGeneration& one) { return one.done == one.task.tokens.size(); }

  void start() {
    LiveGeneration fresh;
    fresh.conversation = below(kConversations);
    std::vector<int32_t>& history = histories_[fresh.conversation];
    if (history.size() > 150) history.resize(30);
    if (below(4) == 0) history.resize(20 + below(history.size() - 19));  // edited
    fresh.task.tokens = joined(history, random_tokens(1 + below(20)));
    fresh.task.cuts = block_cuts(0, static_cast<uint32_t>(fresh.task.tokens.size()), kBlock);
    fresh.task.max_tokens = 1 + below(60);
    fresh.task.reuse = below(8) == 0 ? ReusePolicy::kExact : ReusePolicy::kAll;
    const std::vector<RunningPrefix> running = running_prefixes();
    const KvBuffer::Admission admission = buffer_->consider(fresh.task, running);
    if (admission.follows || admission.fit != Fit::kNow) return;
    fresh.placement = buffer_->place(fresh.task, admission.choice);
    fresh.done = fresh.placement.cache.tokens;
    const FollowChoice followed = choose_running(fresh.task, running, {});
    beside += followed.choice.running >= 0 && followed.choice.reuse_tokens == fresh.done ? 1 : 0;
    ASSERT_LT(fresh.done, fresh.task.tokens.size());
    reused += fresh.done != 0 ? 1 : 0;
    from_memory += fresh.placement.cache.tier == CacheTier::kMemory ? 1 : 0;
    live_.push_back(std::move(fresh));
    for (LiveGeneration& one : live_) one.placement.at_cell_zero &= live_.size() == 1;
  }

  std::vector<RunningPrefix> running_prefixes() const {
    std::vector<RunningPrefix> prefixes;
    for (const LiveGeneration& one : live_) {
      prefixes.push_back({one.placement.sequence, one.task.tokens, one.placement.cuts, one.done, {}});
    }
    return prefixes;
  }

  void run(const LiveGeneration& one) {
    if (decoder_->run(one.task.id) != DecodeOutcome::kDone) ++no_cells;
  }

  void prefill() {
    LiveGeneration* one = some();
    if (one == nullptr || whole(*one)) return;
    const std::vector<uint32_t>& cuts = one->placement.cuts;
    const uint32_t end = *std::upper_bound(cuts.begin(), cuts.end(), one->done);
    decoder_->clear();
    decoder_->add_block(std::span(one->task.tokens).subspan(one->done, end - one->done), one->done,
                        one->placement.sequence, false);
    run(*one);
    one->done = end;
  }

  void decode() {
    LiveGeneration* one = some();
    if (one == nullptr || !whole(*one) || one->decoded.size() + 1 >= one->task.max_tokens) return;
    const int32_t token = random_tokens(1).front();
    decoder_->clear();
    decoder_->add(token, one->done + static_cast<uint32_t>(one->decoded.size()), one->placement.sequence, true);
    run(*one);
    one->decoded.push_back(token);
  }

  void end() {
    LiveGeneration* one = some();
    if (one == nullptr) return;
    if (one->done > one->placement.cache.tokens) {
      one->task.tokens.resize(one->done);
      const std::vector<int32_t> tokens = joined(one->task.tokens, one->decoded);
      if (!one->decoded.empty()) histories_[one->conversation] = tokens;
      std::vector<uint32_t> cuts = one->placement.cuts;
      std::erase_if(cuts, [&](uint32_t cut) { return cut > one->done; });
      buffer_->keep(one->placement.sequence,
                    {.tokens = tokens,
                     .cuts = cuts,
                     .generated_from = std::min(one->placement.generated_from, one->done),
                     .exact_tokens = one->placement.exact_tokens},
                    one->placement.at_cell_zero);
    } else {
      buffer_->release(one->placement.sequence);
    }
    live_.erase(live_.begin() + (one - live_.data()));
  }

  std::mt19937 random_;
  std::shared_ptr<llama_model> model_;
  LlamaContext context_;
  StateLayout layout_;
  CancelSet cancelled_;
  EngineSpeeds speeds_;
  std::optional<Decoder> decoder_;
  std::optional<KvBuffer> buffer_;
  std::vector<std::vector<int32_t>> histories_;
  std::vector<LiveGeneration> live_;
};

class RandomConversations : public ::testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(WithMemoryBytes, RandomConversations, ::testing::Values(0u, 200u << 10, 1u << 30));

TEST_P(RandomConversations, LeaveTheAccountsRightAndNobodyWithoutCells) {
  const char* size = std::getenv("ROCKLLAMA_TEST_SIZE");
  const int steps = size != nullptr && std::string(size) == "full" ? 20000 : 600;
  RandomBuffer buffer(7, GetParam());
  for (int step = 0; step < steps; ++step) {
    buffer.act();
    ASSERT_NO_FATAL_FAILURE(buffer.expect_accounts_right()) << step;
    ASSERT_EQ(buffer.no_cells, 0u) << step;
  }
  EXPECT_GT(buffer.reused, 0u);
  EXPECT_GT(buffer.beside, 0u);
  EXPECT_EQ(buffer.from_memory > 0, GetParam() != 0);
}

}  // namespace
}  // namespace rockllama
