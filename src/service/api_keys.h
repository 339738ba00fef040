// Who may call, and what keeps the automatic reuse of callers apart. Does not change once made; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secrets.h"

namespace rockllama {

class ApiKeys {
 public:
  struct Caller {
    std::string name;  // of the key, for the log
    Hash128 salt;      // the same for a key as long as the server's secret is
  };

  ApiKeys() = default;  // no keys: everybody may call
  // `keys`: name to key. kInternal when libcrypto refuses.
  [[nodiscard]] static Result<ApiKeys> make(const std::map<std::string, std::string>& keys, std::string secret);

  [[nodiscard]] bool empty() const { return callers_.empty(); }
  // Null where `key` is none of them. Takes the same time whichever it is, and whatever its length.
  [[nodiscard]] const Caller* find(std::string_view key) const;
  // Zero for a name that is none.
  [[nodiscard]] Hash128 salt_of(std::string_view name) const;

 private:
  struct Known {
    Caller caller;
    Digest256 digest;  // of the key
  };
  std::string secret_;
  std::vector<Known> callers_;
};

// The server's secret from `path`, or a new one that is written there (0600). kIo, kNoSpace.
[[nodiscard]] Result<std::string> read_or_make_secret(FileSystem* files, const std::string& path);

}  // namespace rockllama
