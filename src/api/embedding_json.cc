#include "api/embedding_json.h"

#include <bit>
#include <string_view>
#include <utility>

#include "base/base64.h"

namespace rockllama::api {
namespace {

std::string floats_as_base64(const std::vector<float>& vector) {
  static_assert(std::endian::native == std::endian::little);
  return base64({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
}

}  // namespace

OrderedJson embeddings_json(const Embeddings& embeddings, const std::string& model, bool as_base64) {
  OrderedJson data = OrderedJson::array();
  for (size_t i = 0; i < embeddings.vectors.size(); ++i) {
    const std::vector<float>& vector = embeddings.vectors[i];
    OrderedJson value = as_base64 ? OrderedJson(floats_as_base64(vector)) : OrderedJson(vector);
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", std::move(value)}});
  }
  const uint32_t tokens = embeddings.prompt_tokens;
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

}  // namespace rockllama::api
