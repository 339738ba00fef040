// Random operations, failing calls, kills, power losses and people who edit files, against a simple model of the store
// (tests/support/store_model.h). ROCKLLAMA_TEST_SIZE=full makes the runs longer.
#include "tests/support/store_model.h"

#include <array>
#include <cstdlib>
#include <random>

#include "cache/cache_content.h"
#include "cache/cache_metadata.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array<const char*, 2> kPrints = {"one", "two"};
constexpr std::array<StateFormat, 2> kFormats = {StateFormat::kChat, StateFormat::kRaw};
const Texts kNames = {"a", "b", "b2", "c", "d", "e"};

bool full_size() {
  const char* size = std::getenv("ROCKLLAMA_TEST_SIZE");
  return size != nullptr && std::string(size) == "full";
}

// What a state holds of the texts that it was built over, so that one can be told from another.
std::string payload_of(const Texts& texts, StateFormat format, const std::string& print, int build) {
  std::string payload = std::string(to_string(format)) + " by " + print + " of";
  for (const std::string& text : texts) payload += " [" + text + "]";
  return payload + " #" + std::to_string(build);
}

Texts texts_of(const CacheLine& line) {
  Texts texts;
  for (const CacheContent& content : line) texts.push_back(encode_content(content));
  return texts;
}

std::optional<CacheLine> line_of(const Texts& texts) {
  CacheLine line;
  for (const std::string& text : texts) {
    auto content = parse_content(text);
    if (!content) return std::nullopt;
    line.push_back(std::move(*content));
  }
  return line;
}

enum class Fate : uint8_t { kFine, kOneFailure, kKilled, kPowerLost };

// What an operation does to the caches that it concerns: all outcomes of each, that of success last.
struct Effect {
  std::map<std::string, StoreModel::Outcomes> outcomes{};
  bool possible = true;  // otherwise it must be refused
  bool durable = true;
};

struct StoreModelCase {
  uint32_t seed;
  bool backwards;
};
void PrintTo(const StoreModelCase& param, std::ostream* out) {
  *out << "seed " << param.seed << (param.backwards ? ", backwards" : "");
}

class StoreModelTest : public testing::TestWithParam<StoreModelCase> {
 protected:
  StoreModelTest() : chance_(GetParam().seed) {
    if (GetParam().backwards) memory_.list_backwards();
    open();
  }

  // -- Chance

  [[nodiscard]] size_t below(size_t limit) { return chance_() % limit; }
  [[nodiscard]] bool once_in(size_t times) { return below(times) == 0; }
  [[nodiscard]] std::string any_name() { return kNames[below(kNames.size())]; }
  [[nodiscard]] std::string any_print() { return kPrints[below(3) / 2]; }
  [[nodiscard]] StateFormat any_format() { return kFormats[below(2)]; }
  [[nodiscard]] std::string any_text() {
    const std::string words = "text " + std::to_string(below(5));
    if (!once_in(4)) return words;
    return encode_content({.messages = {{"system", words}, {"user", "Caf\xC3\xA9?"}}});
  }
  [[nodiscard]] ErrorCode any_failure() { return once_in(2) ? ErrorCode::kIo : ErrorCode::kNoSpace; }

  // -- Faults

  void open() {
    store_.reset();
    auto opened = CacheStore::open(&faulty_, "/cache", {}, [this] { return now_; });
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    for (const std::string& file : memory_.names("/cache/demo")) {
      EXPECT_EQ(file.find("~new"), std::string::npos) << file << at();
    }
  }
  [[nodiscard]] Fate arm() {
    const size_t roll = below(100);
    if (roll < 60) return Fate::kFine;
    const uint64_t call = faulty_.calls() + below(45);
    if (roll < 75) {
      faulty_.fail_call(call, any_failure());
      return Fate::kOneFailure;
    }
    faulty_.fail_from(call, any_failure());
    return roll < 87 ? Fate::kKilled : Fate::kPowerLost;
  }
  void lose_power() {
    memory_.crash((uint64_t{chance_()} << 32) | chance_(), once_in(2));
    model_.lose_power();
  }
  // Ends the fault, with what follows from it, and looks at everything.
  void resolve(Fate fate) {
    const bool ended = fate == Fate::kKilled || fate == Fate::kPowerLost;
    if (ended) store_.reset();
    faulty_.heal();
    if (fate == Fate::kPowerLost) lose_power();
    if (ended) {
      if (once_in(3)) edit_text();
      if (once_in(4)) open_in_part();
      open();
    }
    if (fate != Fate::kFine || once_in(5)) check();
  }
  void open_in_part() {
    faulty_.fail_from(faulty_.calls() + below(40), any_failure());
    {
      const auto opened = CacheStore::open(&faulty_, "/cache", {}, [this] { return now_; });
    }
    faulty_.heal();
    if (once_in(2)) lose_power();
  }

  // Does `operation` under some fault, and what has to come out of it in the model.
  void change(const Effect& effect, const std::function<Status()>& operation) {
    const Fate fate = arm();
    const Status status = operation();
    if (fate == Fate::kFine || status) {
      EXPECT_EQ(status.has_value(), effect.possible) << (status ? "" : status.error().message) << at();
    }
    for (const auto& [name, outcomes] : effect.outcomes) {
      if (status) model_.change(name, outcomes, effect.durable);
      if (!status && effect.possible) model_.may_change(name, outcomes);
    }
    resolve(fate);
  }

  // -- Looking

  [[nodiscard]] std::string at() { return "\nat step " + std::to_string(step_) + ", " + what_; }
  // The payload that a request over the cache would get; empty where there is none.
  std::string offered(const std::string& name, StateFormat format, const std::string& print) {
    const auto found = store_->reference(kModel, name, format, print);
    if (!found || !found->state) return "";
    const auto open = store_->open_state(kModel, name, format, *found->state);
    if (!open) return "";
    std::string payload = contents(open->file, open->bytes);
    EXPECT_EQ(payload.substr(0, payload.find('#')),
              payload_of(texts_of(found->line), format, print, 0).substr(0, payload.find('#')))
        << at();
    return payload;
  }
  [[nodiscard]] ShownCache show(const std::string& name) {
    ShownCache shown;
    const auto text = store_->text(kModel, name);
    if (!text) {
      EXPECT_EQ(text.error().code, ErrorCode::kNotFound) << text.error().message << at();
      return shown;
    }
    shown.text = *text;
    for (const StateFormat format : kFormats) {
      for (const char* print : kPrints) {
        const std::string payload = offered(name, format, print);
        if (!payload.empty()) shown.payloads[{format, print}] = payload;
      }
    }
    const auto info = store_->find(kModel, name, kPrints[0]);
    EXPECT_TRUE(info) << at();
    if (!info) return shown;
    shown.parent = info->parent;
    shown.pinned = info->pinned;
    shown.expires_at = info->expires_at;
    if (!line_of({*text})) return shown;
    for (const StateInfo& state : info->binary) {
      EXPECT_EQ(state.status == StateStatus::kReady, shown.payloads.contains({state.format, kPrints[0]}))
          << name << ": " << state.reason << at();
    }
    return shown;
  }
  void check() {
    std::map<std::string, ShownCache> shown;
    for (const std::string& name : kNames) shown[name] = show(name);
    EXPECT_EQ(model_.settle(shown, now_), "") << at();
    EXPECT_THAT(model_.over(now_), testing::IsEmpty()) << at();
    check_lists(shown);
    check_automatic();
  }
  void check_lists(const std::map<std::string, ShownCache>& shown) {
    std::set<std::pair<std::string, StateFormat>> known;
    for (const KnownState& state : store_->known_states(kModel, kPrints[0])) {
      if (!state.name.empty() && model_.line(state.name)) known.insert({state.name, state.format});
    }
    Texts there;
    std::set<std::pair<std::string, StateFormat>> expected;
    for (const auto& [name, cache] : shown) {
      if (cache.text) there.push_back(name);
      for (const auto& [offer, payload] : cache.payloads) {
        if (offer.fingerprint == kPrints[0]) expected.insert({name, offer.format});
      }
    }
    EXPECT_EQ(known, expected) << at();
    Texts listed;
    const auto infos = store_->list(kModel, "").value();
    for (const CacheInfo& info : infos) listed.push_back(info.cache_name);
    EXPECT_EQ(listed, there) << at();
    EXPECT_EQ(store_->use().entries, there.size()) << at();
  }

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

  [[nodiscard]] static std::string path(const std::string& file) { return "/cache/demo/" + file; }
  [[nodiscard]] bool is_there(const std::string& file) { return memory_.stat(path(file)).has_value(); }
  void remove_file(const std::string& file) {
    ASSERT_TRUE(memory_.remove(path(file)));
    ASSERT_TRUE(memory_.sync_folder("/cache/demo"));
  }
  void edit_text() {
    const std::string name = any_name();
    const std::string text = once_in(8) ? R"({"object": "prompt_cache.messages", "messages": 3})" : any_text();
    if (model_.may_be_over(name, now_)) return;
    memory_.put(path(name + ".bin"), text);
    model_.edit(name, [&](ModelCache* cache) { cache->file = text; });
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

  // -- Automatic states: their id names their payload, and the payload says what they are.

  [[nodiscard]] static std::string automatic_payload(const Hash128& tokens) { return "tokens " + to_hex(tokens); }
  void commit_automatic() {
    const Hash128 tokens{chance_(), chance_()};
    const std::string payload = automatic_payload(tokens);
    const Fate fate = arm();
    auto pending = store_->begin_automatic(kModel, payload.size());
    Result<StateKey> key = fail(ErrorCode::kIo, "it could not begin");
    if (pending) {
      const UniqueFd fd = pending->take_fd();
      EXPECT_EQ(::pwrite(fd.get(), payload.data(), payload.size(), 0), static_cast<ssize_t>(payload.size()));
      AutomaticState state{.bytes = payload.size(), .value = 5, .fingerprint = kPrints[0]};
      state.known.key.tokens = 100;
      state.known.key.token_hash = tokens;
      key = store_->commit_automatic(kModel, std::move(*pending), state);
    }
    if (fate == Fate::kFine) {
      EXPECT_TRUE(key) << key.error().message << at();
    }
    if (key) automatic_.insert(key->id);
    resolve(fate);
  }
  void end_automatic() {
    if (automatic_.empty()) return;
    const std::string id = *std::next(automatic_.begin(), static_cast<ptrdiff_t>(below(automatic_.size())));
    automatic_.erase(id);
    const Fate fate = arm();
    switch (below(4)) {
      case 0:
        damage_automatic(id);
        break;
      case 1:
        (void)store_->quarantine_automatic(kModel, id, "the worker died");
        break;
      default:
        (void)store_->remove_automatic(kModel, id);
    }
    resolve(fate);
  }
  void damage_automatic(const std::string& id) {
    memory_.put("/cache/" + id + ".llama_cache", "damaged");
    EXPECT_FALSE(store_->open_automatic(kModel, {.id = id})) << at();
    damaged_automatic_.insert(id);
  }
  // Those that were acknowledged are there; what else is there is whole, and was to be written or removed.
  void check_automatic() {
    std::set<std::string> there;
    for (const KnownState& state : store_->known_states(kModel, kPrints[0])) {
      if (!state.name.empty()) continue;
      const auto open = store_->open_automatic(kModel, state.key);
      const bool damaged = damaged_automatic_.contains(state.key.id);
      EXPECT_EQ(open.has_value(), !damaged) << state.key.id << at();
      if (!open) continue;
      EXPECT_EQ(contents(open->file, open->bytes), automatic_payload(state.key.token_hash)) << at();
      there.insert(state.key.id);
    }
    for (const std::string& id : automatic_) EXPECT_TRUE(there.contains(id)) << id << " is lost" << at();
  }

  MemoryFileSystem memory_;
  FaultyFileSystem faulty_{&memory_};
  double now_ = 1000;  // seconds
  std::unique_ptr<CacheStore> store_;
  StoreModel model_{kNames};
  std::mt19937 chance_;
  std::set<std::string> automatic_;  // ids that were acknowledged and not ended since
  std::set<std::string> damaged_automatic_;
  size_t step_ = 0;
  std::string what_;
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
