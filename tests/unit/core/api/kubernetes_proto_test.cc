#include "core/api/kubernetes_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::api {
namespace {

using testing::HasSubstr;

// A length-delimited field.
std::string Field(int number, const std::string& bytes) {
  std::string field;
  field += static_cast<char>((number << 3) | 2);
  field += static_cast<char>(bytes.size());
  return field + bytes;
}

std::string Number(int number, char value) {
  std::string field;
  field += static_cast<char>(number << 3);
  return field + value;
}

std::string Envelope(const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + Field(1, Field(1, "v1") + Field(2, kind)) + Field(2, raw) +
         Field(3, "") + Field(4, "");
}

TEST(KubernetesProtoTest, ReadsCoreKinds) {
  const std::string meta =
      Field(1, Field(1, "n") + Field(3, "d") + Field(11, Field(1, "app") + Field(2, "x")) +
                   Field(13, Field(1, "Service") + Field(4, "u") + Number(6, 1)) +
                   Field(14, "a/b") + Field(8, ""));
  const auto secret =
      ReadKubernetesProto(Envelope("Secret", meta + Field(2, Field(1, "k") + Field(2, "v")) +
                                                 Field(3, "Opaque") + Number(5, 1)));
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(
      secret->dump(),
      R"({"apiVersion":"v1","data":{"k":"dg=="},"immutable":true,"kind":"Secret","metadata":{"finalizers":["a/b"],"labels":{"app":"x"},)"
      R"("name":"n","namespace":"d","ownerReferences":[{"controller":true,"kind":"Service","uid":"u"}]},"type":"Opaque"})");
  const auto account = ReadKubernetesProto(
      Envelope("ServiceAccount", meta + Field(3, Field(1, "pull")) + Field(2, Field(3, "s"))));
  EXPECT_EQ((*account)["imagePullSecrets"][0]["name"], "pull");
  EXPECT_EQ((*account)["secrets"][0]["name"], "s");
  const auto options = ReadKubernetesProto(Envelope(
      "DeleteOptions", Field(2, Field(1, "uid")) + Field(4, "Foreground") + Field(5, "All")));
  EXPECT_EQ((*options)["preconditions"]["uid"], "uid");
  EXPECT_EQ((*options)["dryRun"][0], "All");
  const auto event = ReadKubernetesProto(
      Envelope("Event", Field(6, std::string("\x08\x80\xe2\xcf\xaa\x06", 6)) + Number(8, 3)));
  EXPECT_EQ((*event)["firstTimestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ((*event)["count"], 3);
}

TEST(KubernetesProtoTest, RefusesWhatIsBrokenOrUnknown) {
  EXPECT_EQ(ReadKubernetesProto("").error().code, Code::kInvalidArgument);
  EXPECT_EQ(ReadKubernetesProto(Envelope("Pod", "")).error().code, Code::kUnimplemented);
  const std::string whole = Envelope("ConfigMap", Field(1, Field(1, "name")));
  for (size_t length = 22; length < whole.size() - 4; ++length) {  // within `raw`
    EXPECT_FALSE(ReadKubernetesProto(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(ReadKubernetesProto(Envelope("ConfigMap", Field(1, Field(1, "\xff")))));
  EXPECT_FALSE(ReadKubernetesProto(Envelope("ConfigMap", Number(1, 1))));
}

}  // namespace
}  // namespace updraft::api
