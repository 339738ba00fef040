#include "service/api_keys.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rockllama {
namespace {

constexpr size_t kSecretBytes = 32;

Hash128 salt_from(const Digest256& digest) {
  Hash128 salt;
  std::memcpy(&salt.high, digest.data(), sizeof salt.high);
  std::memcpy(&salt.low, digest.data() + sizeof salt.high, sizeof salt.low);
  return salt;
}

}  // namespace

Result<ApiKeys> ApiKeys::make(const std::map<std::string, std::string>& keys, std::string secret) {
  ApiKeys made;
  made.secret_ = std::move(secret);
  for (const auto& [name, key] : keys) {
    const auto digest = keyed_digest(made.secret_, key);
    if (!digest) return fail(digest.error());
    made.callers_.push_back({{name, salt_from(*digest)}, *digest});
  }
  return made;
}

const ApiKeys::Caller* ApiKeys::find(std::string_view key) const {
  const auto digest = keyed_digest(secret_, key);
  const Caller* found = nullptr;
  for (const Known& known : callers_) {
    if (digest && same_digest(*digest, known.digest)) found = &known.caller;
  }
  return found;
}

Hash128 ApiKeys::salt_of(std::string_view name) const {
  const auto known = std::find_if(callers_.begin(), callers_.end(),
                                  [name](const Known& candidate) { return candidate.caller.name == name; });
  return known == callers_.end() ? Hash128{} : known->caller.salt;
}

// A file of another length is no secret of ours: what was kept apart by it is found no more.
Result<std::string> read_or_make_secret(FileSystem* files, const std::string& path) {
  auto secret = files->read(path, kSecretBytes);
  if (secret && secret->size() == kSecretBytes) return secret;
  if (!secret && secret.error().code != ErrorCode::kNotFound && secret.error().code != ErrorCode::kTooLarge) {
    return secret;
  }
  secret = random_bytes(kSecretBytes);
  if (!secret) return secret;
  Status status = replace_file(files, path + "~new", path, *secret);
  if (status) status = files->sync_folder(path.substr(0, path.find_last_of('/')));
  if (!status) return fail(status.error());
  return secret;
}

}  // namespace rockllama
