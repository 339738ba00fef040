// Random operations, failing calls, kills, power losses and people who edit files, against a simple model of the store
// (tests/support/store_model.h). ROCKLLAMA_TEST_SIZE=full makes the runs longer.
#include "tests/support/store_model_run.h"

namespace rockllama {
namespace {

class StoreModelTest : public StoreModelRun {
 protected:
  // -- Operations

  // Payloads are written before the fault that may hit the commit, or after it.
  [[nodiscard]] Result<std::vector<NewState>> write(const std::string& name,
                                                    const std::map<StateFormat, ModelState>& states,
                                                    const CacheLine& line) {
    std::vector<NewState> written;
    for (const auto& [format, state] : states) {
      auto payload = store_->begin_state(kModel, name, format);
      if (!payload) return fail(payload.error());
      const UniqueFd fd = payload->take_fd();
      EXPECT_EQ(::pwrite(fd.get(), state.payload.data(), state.payload.size(), 0),
                static_cast<ssize_t>(state.payload.size()));
      SavedState saved{.tokens = 316, .token_hash = hash_bytes(state.payload), .bytes = state.payload.size()};
      written.push_back({std::move(*payload), format, "llama.cpp", state.fingerprint, std::move(saved), line});
    }
    return written;
  }
  [[nodiscard]] std::map<StateFormat, ModelState> any_states(const Texts& built_over) {
    std::map<StateFormat, ModelState> states;
    for (const StateFormat format : kFormats) {
      const std::string print = any_print();
      const int build = static_cast<int>(below(2));
      if (once_in(2)) states[format] = {payload_of(built_over, format, print, build), print, built_over};
    }
    return states;
  }
  [[nodiscard]] CacheAttributes any_attributes() {
    CacheAttributes attributes{.source = "api"};
    if (once_in(3)) attributes.parent = once_in(4) ? "" : any_name();
    if (once_in(3)) attributes.pinned = once_in(2);
    if (once_in(4)) attributes.expires_at = once_in(3) ? 0 : now_ + 1.0 + static_cast<double>(below(60));
    attributes.overwrite = !once_in(5);
    return attributes;
  }

  void commit() {
    const std::string name = any_name();
    commit_over(name, any_text(), any_attributes(), false);
  }
  void add_states() {
    const std::string name = any_name();
    const auto text = model_.cache(name).text();
    commit_over(name, text && !once_in(6) ? *text : any_text(), {}, true);
  }
  void commit_over(const std::string& name, const std::string& text, const CacheAttributes& attributes,
                   bool same_text) {
    const std::string parent = attributes.parent.value_or(model_.cache(name).attributes().parent);
    const auto ancestors = model_.ancestors(name, parent);
    // Now and then the states were built over what it continued before.
    auto built_over = once_in(5) ? model_.ancestors(name, model_.cache(name).attributes().parent) : ancestors;
    if (!built_over) built_over = Texts{};
    const bool same_line = built_over == ancestors;
    built_over->push_back(text);
    const auto states = any_states(*built_over);
    const bool needs_line = !parent.empty() && (attributes.parent || !states.empty());
    const CacheLine line = (same_line && once_in(2)) ? CacheLine{} : line_of(*built_over).value_or(CacheLine{});
    if (!same_line && line.empty()) return;
    Effect effect{.outcomes = {{name, [=](const ModelCache& before) -> std::vector<ModelCache> {
                                  return {committed(before, text, states, attributes)};
                                }}}};
    effect.possible = (!needs_line || ancestors) && (same_line || states.empty());
    if (same_text) effect.possible = effect.possible && model_.cache(name).text() == text;
    if (!attributes.overwrite && model_.exists(name)) effect.possible = false;
    change(effect, [&]() -> Status {
      auto written = write(name, states, line);
      if (!written) return fail(written.error());
      if (same_text) return store_->add_states(kModel, name, text, std::move(*written));
      return store_->commit(kModel, name, text, std::move(*written), attributes);
    });
  }

  void remove() {
    const std::string name = any_name();
    const bool cascade = once_in(3);
    const std::set<std::string> descendants = model_.descendants(name);
    Effect effect{.possible = model_.exists(name) && (cascade || descendants.empty())};
    const auto outcomes = [](const ModelCache& before) { return partly_removed(before, false); };
    effect.outcomes[name] = outcomes;
    for (const std::string& descendant : descendants) effect.outcomes[descendant] = outcomes;
    change(effect, [&] { return store_->remove(kModel, name, cascade); });
  }
  void remove_states() {
    const std::string name = any_name();
    const auto outcomes = [](const ModelCache& before) {
      std::vector<ModelCache> all = partly_removed(before, true);
      std::swap(all.front(), all.back());  // the first one has none
      return all;
    };
    change({.outcomes = {{name, outcomes}}, .possible = model_.exists(name)},
           [&] { return store_->remove_states(kModel, name); });
  }
  void refuse() {
    const std::string name = any_name();
    const StateFormat format = any_format();
    const auto found = store_->reference(kModel, name, format, any_print());
    if (!found || !found->state) return;
    const auto outcomes = [=](const ModelCache& before) -> std::vector<ModelCache> {
      return {with_refused(before, format)};
    };
    const bool quarantined = once_in(2);
    change({.outcomes = {{name, outcomes}}, .durable = false}, [&] {
      return quarantined ? store_->quarantine(kModel, name, format, *found->state, "the worker died")
                         : store_->mark_stale(kModel, name, format, *found->state, "rendered otherwise");
    });
  }
  void look() {
    const std::string name = any_name();
    const Fate fate = arm();
    switch (below(7)) {
      case 0:
        (void)store_->list(kModel, any_print());
        break;
      case 1:
        (void)store_->find(kModel, name, any_print());
        break;
      case 2:
        (void)store_->known_states(kModel, kPrints[0]);
        break;
      case 3:
        (void)store_->use();
        break;
      case 4:
        store_->touch(kModel, name, true);
        store_->flush();
        break;
      case 5:
        (void)store_->children(kModel, name);
        break;
      default:
        (void)offered(name, any_format(), any_print());
    }
    resolve(fate);
  }
  // Whoever looks first, the cache is not there any more.
  void let_time_pass() {
    now_ += 1.0 + static_cast<double>(below(40));
    const Fate fate = arm();
    switch (below(3)) {
      case 0:
        (void)store_->list(kModel, "");
        break;
      case 1:
        (void)store_->find(kModel, any_name(), "");
        break;
      default:
        store_->sweep();
    }
    resolve(fate);
    check();
  }

  // -- People

  [[nodiscard]] bool is_there(const std::string& file) { return memory_.stat(path(file)).has_value(); }
  void remove_file(const std::string& file) {
    ASSERT_TRUE(memory_.remove(path(file)));
    ASSERT_TRUE(memory_.sync_folder("/cache/demo"));
  }
  void edit_metadata(const std::string& name) {
    const std::string file = name + ".json";
    std::string json = memory_.read(path(file), kLargestMetadata).value();
    const auto replace = [&](const std::string& from, const std::string& to) {
      const size_t found = json.find(from);
      if (found != std::string::npos) json.replace(found, from.size(), to);
      memory_.put(path(file), json);
      return found != std::string::npos;
    };
    if (once_in(2)) {
      const bool pinned = replace("\"pinned\": false", "\"pinned\": true");
      if (!pinned) return;
      model_.edit(name, [](ModelCache* cache) {
        cache->metadata->pinned = true;
        cache->metadata->expires_at = 0;  // an end that may be a bit that flipped is none
      });
    } else if (replace("\"tokens\": 316", "\"tokens\": 315")) {
      model_.edit(name, [](ModelCache* cache) {
        *cache = with_refused(with_refused(*cache, StateFormat::kChat), StateFormat::kRaw);
      });
    }
  }
  void edit_state(const std::string& name) {
    const StateFormat format = any_format();
    const std::string file = name + (format == StateFormat::kRaw ? "~raw" : "") + ".llama_cache";
    if (!is_there(file)) return;
    std::string bytes = memory_.read(path(file), 1 << 20).value();
    switch (below(3)) {
      case 0:
        remove_file(file);
        break;
      case 1:
        memory_.put(path(file), bytes.substr(0, below(bytes.size())));
        break;
      default:
        bytes[below(bytes.size())] ^= 1;
        memory_.put(path(file), bytes);
    }
    model_.edit(name, [&](ModelCache* cache) { *cache = with_refused(*cache, format); });
  }
  void lose_metadata(const std::string& name) {
    if (once_in(2)) {
      remove_file(name + ".json");
    } else {
      memory_.put(path(name + ".json"), "{ broken");
    }
    model_.edit(name, [](ModelCache* cache) { cache->metadata.reset(); });
  }
  void lose_all(const std::string& name) {
    for (const char* rest :
         {".bin", ".json", ".llama_cache", "~raw.llama_cache", "~bad.llama_cache", "~raw~bad.llama_cache"}) {
      remove_file(name + rest);
    }
    model_.edit(name, [](ModelCache* cache) { *cache = {}; });
  }
  // What is known has to be certain here.
  void edit_by_hand() {
    check();
    const std::string name = any_name();
    const bool has_text = is_there(name + ".bin");
    const bool has_metadata = model_.cache(name).metadata && is_there(name + ".json");
    if (model_.may_be_over(name, now_)) return;
    switch (below(6)) {
      case 0:
        edit_text();
        break;
      case 1:
        if (has_metadata) edit_metadata(name);
        break;
      case 2:
        if (has_metadata) edit_state(name);
        break;
      case 3:
        if (has_text && has_metadata) lose_metadata(name);
        break;
      case 4:
        lose_all(name);
        break;
      default:
        if (!has_metadata || !has_text) return;
        remove_file(name + ".bin");
        model_.edit(name, [](ModelCache* cache) { cache->file.reset(); });
    }
  }

  void step() {
    struct Kind {
      size_t weight;
      const char* name;
      void (StoreModelTest::*run)();
    };
    static constexpr std::array<Kind, 10> kKinds = {{{25, "commit", &StoreModelTest::commit},
                                                     {15, "add states", &StoreModelTest::add_states},
                                                     {7, "remove", &StoreModelTest::remove},
                                                     {3, "remove states", &StoreModelTest::remove_states},
                                                     {6, "refuse", &StoreModelTest::refuse},
                                                     {16, "look", &StoreModelTest::look},
                                                     {5, "time", &StoreModelTest::let_time_pass},
                                                     {11, "edit", &StoreModelTest::edit_by_hand},
                                                     {8, "commit automatic", &StoreModelTest::commit_automatic},
                                                     {4, "end automatic", &StoreModelTest::end_automatic}}};
    size_t left = below(100);
    for (const Kind& kind : kKinds) {
      if (left < kind.weight) {
        what_ = kind.name;
        return (this->*kind.run)();
      }
      left -= kind.weight;
    }
  }
};

TEST_P(StoreModelTest, TheStoreHoldsWhatWasCommittedThroughFaultsAndEdits) {
  const size_t steps = full_size() ? 2000 : 300;
  for (step_ = 0; step_ < steps && !HasFailure(); ++step_) step();
  what_ = "the end";
  resolve(Fate::kPowerLost);
}

std::vector<StoreModelCase> store_model_cases() {
  std::vector<StoreModelCase> cases;
  for (uint32_t seed = 1; seed <= (full_size() ? 10U : 2U); ++seed) {
    for (const bool backwards : {false, true}) cases.push_back({seed, backwards});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(EachSeed, StoreModelTest, testing::ValuesIn(store_model_cases()), [](const auto& param) {
  return "Seed" + std::to_string(param.param.seed) + (param.param.backwards ? "Backwards" : "");
});

}  // namespace
}  // namespace rockllama
