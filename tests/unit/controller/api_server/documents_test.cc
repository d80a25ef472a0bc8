// Discovery and OpenAPI.
#include "controller/api_server/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/api_server/openapi.h"
#include "core/api/access.h"
#include "core/api/kinds.h"
#include "core/api/schemas/schemas.h"

namespace updraft::controller {
namespace {

using testing::HasSubstr;
using testing::Not;

// Every reference in `json` leads to a definition.
void CheckReferences(const Json& json, const Json& definitions, const std::string& prefix) {
  if (json.is_array()) {
    for (const Json& inner : json) CheckReferences(inner, definitions, prefix);
  }
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    if (key == "$ref") {
      const std::string reference = value;
      ASSERT_TRUE(reference.starts_with(prefix)) << reference;
      EXPECT_TRUE(definitions.contains(reference.substr(prefix.size()))) << reference;
    }
    CheckReferences(value, definitions, prefix);
  }
}

TEST(OpenApiTest, ReferencesLeadSomewhere) {
  for (const GroupVersion& version : GroupVersions()) {
    const Json document = OpenApiV3(version, "1");
    CheckReferences(document, document["components"]["schemas"], "#/components/schemas/");
  }
  const Json document = OpenApiV2("1");
  CheckReferences(document, document["definitions"], "#/definitions/");
}

TEST(OpenApiTest, EveryKindHasASchemaAndAPathThatNameIt) {
  for (const api::Kind& kind : api::Kinds()) {
    const Json document = OpenApiV3({.group = kind.group, .version = kind.version}, "1");
    const Json& schema = document["components"]["schemas"][kind.schema->definition];
    EXPECT_EQ(schema["x-kubernetes-group-version-kind"][0]["kind"], kind.kind);
    bool found = false;
    for (const auto& [path, item] : document["paths"].items()) {
      if (!path.ends_with("/" + kind.plural + "/{name}")) continue;
      found = true;
      EXPECT_EQ(item.contains("patch"), kind.Allows("patch"));
      if (!kind.Allows("patch")) continue;
      EXPECT_THAT(item["patch"]["parameters"].dump(), HasSubstr("fieldValidation"));
      EXPECT_EQ(item["patch"]["requestBody"]["content"].contains(
                    "application/strategic-merge-patch+json"),
                kind.strategic_merge);
    }
    EXPECT_TRUE(found) << kind.kind;
  }
}

TEST(OpenApiTest, HiddenFieldsAreNotOffered) {
  std::map<std::string, Json> definitions;
  const Json container = WriteSchema(*api::ContainerSchema(), OpenApiDialect::kV3, definitions);
  EXPECT_TRUE(container["properties"].contains("image"));
  EXPECT_FALSE(container["properties"].contains("lifecycle"));
  EXPECT_EQ(container["properties"]["env"]["x-kubernetes-list-map-keys"][0], "name");
}

// Reads protobuf's wire format, enough to find names.
size_t CountFields(std::string_view bytes, uint32_t wanted) {
  size_t count = 0;
  const auto varint = [&bytes] {
    uint64_t value = 0;
    for (int shift = 0; !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!bytes.empty()) {
    const uint64_t key = varint();
    const uint64_t length = varint();
    EXPECT_EQ(key & 7, 2U);
    EXPECT_LE(length, bytes.size());
    bytes.remove_prefix(std::min<size_t>(length, bytes.size()));
    if (key >> 3 == wanted) ++count;
  }
  return count;
}

TEST(OpenApiTest, TheProtobufFormIsWellFormed) {
  const std::string bytes = OpenApiV2Proto(OpenApiV2("1"));
  EXPECT_EQ(CountFields(bytes, 1), 1U);  // swagger
  EXPECT_EQ(CountFields(bytes, 8), 1U);  // paths
  EXPECT_EQ(CountFields(bytes, 9), 1U);  // definitions
  EXPECT_THAT(bytes, HasSubstr("dev.knative.serving.v1.Service"));
}

TEST(DocumentsTest, AreFoundByPathAndForm) {
  const Documents documents("1");
  EXPECT_TRUE(documents.Find("/api/", ""));
  EXPECT_FALSE(documents.Find("/nothing", ""));
  EXPECT_FALSE(documents.Find("/apis/other", ""));
  EXPECT_THAT(
      documents
          .Find("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
          ->body,
      HasSubstr("APIGroupDiscoveryList"));
  EXPECT_THAT(documents.Find("/apis", "application/json")->body, HasSubstr("APIGroupList"));
  EXPECT_THAT(documents.Find("/openapi/v3", "")->body, HasSubstr("/openapi/v3/api/v1?hash="));
}

TEST(DiscoveryTest, ListsVerbsAndSubresources) {
  const Json list = ResourceList({.group = "", .version = "v1"});
  std::string text;
  for (const Json& resource : list["resources"]) text += api::StringAt(resource, {"name"}) + " ";
  EXPECT_THAT(text, HasSubstr("pods pods/status pods/log"));
  EXPECT_THAT(text, Not(HasSubstr("configmaps/status")));
  EXPECT_TRUE(ResourceList({.group = "x", .version = "v1"}).is_null());
  EXPECT_TRUE(Group("x").is_null());
}

}  // namespace
}  // namespace updraft::controller
