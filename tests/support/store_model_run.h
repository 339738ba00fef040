// A run of the store against its model (tests/support/store_model.h), for src/cache/store_model_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache_content.h"
#include "cache/cache_metadata.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_model.h"

namespace rockllama {

using Texts = std::vector<std::string>;

constexpr std::array<const char*, 2> kPrints = {"one", "two"};
constexpr std::array<StateFormat, 2> kFormats = {StateFormat::kChat, StateFormat::kRaw};
inline const Texts kNames = {"a", "b", "b2", "c", "d", "e"};

inline bool full_size() {
  const char* size = std::getenv("ROCKLLAMA_TEST_SIZE");
  return size != nullptr && std::string(size) == "full";
}

// What a state holds of the texts that it was built over, so that one can be told from another.
inline std::string payload_of(const Texts& texts, StateFormat format, const std::string& print, int build) {
  std::string payload = std::string(to_string(format)) + " by " + print + " of";
  for (const std::string& text : texts) payload += " [" + text + "]";
  return payload + " #" + std::to_string(build);
}

inline Texts texts_of(const CacheLine& line) {
  Texts texts;
  for (const CacheContent& content : line) texts.push_back(encode_content(content));
  return texts;
}

inline std::optional<CacheLine> line_of(const Texts& texts) {
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
inline void PrintTo(const StoreModelCase& param, std::ostream* out) {
  *out << "seed " << param.seed << (param.backwards ? ", backwards" : "");
}

// A store over a file system that fails, beside its model: chance, faults and the comparison.
class StoreModelRun : public testing::TestWithParam<StoreModelCase> {
 protected:
  StoreModelRun() : chance_(GetParam().seed) {
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
  [[nodiscard]] static std::string path(const std::string& file) { return "/cache/demo/" + file; }
  void edit_text() {
    const std::string name = any_name();
    const std::string text = once_in(8) ? R"({"object": "prompt_cache.messages", "messages": 3})" : any_text();
    if (model_.may_be_over(name, now_)) return;
    memory_.put(path(name + ".bin"), text);
    model_.edit(name, [&](ModelCache* cache) { cache->file = text; });
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
    // Malformed messages anywhere in the line: a request gets an error, and the list does not read texts.
    if (!store_->reference(kModel, name, kFormats[0], kPrints[0])) return shown;
    for (const StateInfo& state : info->binary) {
      EXPECT_EQ(state.status == StateStatus::kReady, shown.payloads.contains({state.format, kPrints[0]}))
          << name << ": " << state.reason << at();
    }
    return shown;
  }
  void check() {
    // A child that somebody removed by hand keeps its expired parent until it is looked for.
    store_->sweep();
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
      // One whose removal failed half way is listed until somebody wants it.
      EXPECT_FALSE(open && damaged) << state.key.id << at();
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

}  // namespace rockllama
