#include "base/secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace rockllama {
namespace {

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

Result<Digest256> keyed_digest(std::string_view secret, std::string_view bytes) {
  Digest256 digest;
  const auto* done = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), data_of(bytes), bytes.size(),
                          digest.data(), nullptr);
  if (done == nullptr) return fail(ErrorCode::kInternal, "libcrypto made no digest");
  return digest;
}

bool same_digest(const Digest256& a, const Digest256& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

Result<std::string> random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    return fail(ErrorCode::kInternal, "libcrypto gave no random bytes");
  }
  return bytes;
}

}  // namespace rockllama
