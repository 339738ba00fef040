#include "api/openapi.h"

#include <gmock/gmock.h>

#include <set>

#include "api/api.h"

namespace rockllama::api {
namespace {

using ::testing::UnorderedElementsAreArray;

std::vector<std::string> documented(const OrderedJson& document) {
  std::vector<std::string> all;
  for (const auto& [path, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) all.push_back(method + " " + path);
  }
  return all;
}

void collect_references(const OrderedJson& json, std::set<std::string>* found) {
  for (const auto& [key, value] : json.items()) {
    if (key == "$ref") found->insert(value.get<std::string>().substr(1));
    if (value.is_structured()) collect_references(value, found);
  }
}

TEST(OpenApi, ListsAllRoutesOfTheServerAndNoOther) {
  http::Router router;
  add_all(router, Services{});
  std::vector<std::string> served;
  for (auto [method, pattern] : router.routes()) {
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    served.push_back(method + " " + pattern);
  }
  EXPECT_THAT(documented(openapi_document("1")), UnorderedElementsAreArray(served));
}

TEST(OpenApi, RefersOnlyToWhatItHas) {
  const OrderedJson document = openapi_document("1");
  std::set<std::string> references;
  collect_references(document, &references);
  EXPECT_GT(references.size(), 20u);
  for (const std::string& reference : references) {
    EXPECT_TRUE(document.contains(OrderedJson::json_pointer(reference))) << reference;
  }
}

TEST(OpenApi, UsesEachOfItsSchemas) {
  const OrderedJson document = openapi_document("1");
  std::set<std::string> references;
  collect_references(document, &references);
  for (const auto& [name, schema] : document.at("components").at("schemas").items()) {
    EXPECT_TRUE(references.contains("/components/schemas/" + name)) << name;
  }
}

}  // namespace
}  // namespace rockllama::api
