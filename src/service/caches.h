// The flows around named caches: create, build states, read, remove. Dialects and the command line call it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/store_types.h"
#include "domain/model.h"
#include "domain/prompt_cache.h"

namespace rockllama {

struct ServiceContext;

enum class CacheFormatChoice : uint8_t { kBoth, kChat, kRaw, kTextOnly };

struct CreateCache {
  std::string model;
  std::string name;
  std::string text;      // as it is stored: a text, or what stored_text() makes of messages and tools
  std::string parent{};  // name of the cache that it continues; empty = none
  CacheFormatChoice format = CacheFormatChoice::kBoth;
  std::string source = "api";
  bool overwrite = true;
  bool keeps_text = false;    // `text` is what the cache has: only states are added, and only as long as it has it
  bool retry_binary = false;  // also where saving a state ended the runtime before
  bool known_name = false;    // the cache is there already, so an older server's name will do
  std::optional<bool> pinned{};
  std::optional<double> ttl_s{};
};

// How a cache of this content is stored.
[[nodiscard]] std::string stored_text(const CacheContent& content);

struct CacheCreated {
  std::string model;
  std::string name;
  uint64_t size_bytes = 0;  // of the states, or of the text where there is none
  double ttft_ms = 0;
  uint32_t prompt_tokens = 0;
  bool binary = false;
  std::vector<StateFormat> states{};
  std::string message;
  std::string warning{};  // why there is no state, although one was asked for
  bool may_pass = false;  // that reason; another try may make the state
};

struct CacheProgress {
  StateFormat format;
  uint32_t done_tokens = 0;
  uint32_t total_tokens = 0;
};

// What caches take, and what the loaded models measured.
struct CacheStats {
  StoreUse use{};
  struct Model {
    EngineFigures figures{};
    std::optional<uint32_t> break_even_tokens{};  // from which restoring is quicker than prefilling; unset = not known
  };
  std::map<std::string, Model> models{};
};

class Caches {
 public:
  explicit Caches(ServiceContext* context) : context_(context) {}

  using Created = std::function<void(Result<CacheCreated>)>;
  using OnProgress = std::function<void(const CacheProgress&)>;
  // `done` is called once, on a thread of the service. `progress` may be empty.
  void create(CreateCache request, OnProgress progress, Created done);
  // State from an existing text cache, or from `text`, which becomes the cache's text. kConflict: the text changed
  // while its state was made.
  void generate_binary(const std::string& model, const std::string& name, std::optional<std::string> text,
                       OnProgress progress, Created done);

  // These read or write files: executor only.
  [[nodiscard]] Result<std::map<std::string, std::vector<CacheInfo>>> list_all();
  [[nodiscard]] Result<std::vector<CacheInfo>> list(const std::string& model);  // kModelNotFound
  // Of one model, or of all that are loaded.
  [[nodiscard]] CacheStats stats(const std::optional<std::string>& model = {});
  struct Content {
    CacheInfo info;
    std::string text;
  };
  [[nodiscard]] Result<Content> get(const std::string& model, const std::string& name);
  struct Removal {
    bool states_only = false;  // the text stays
    bool cascade = false;      // with the caches that continue it
  };
  // kNotFound; kConflict, naming them, where others continue it.
  [[nodiscard]] Status remove(const std::string& model, const std::string& name, const Removal& removal);

 private:
  ServiceContext* context_;
};

}  // namespace rockllama
