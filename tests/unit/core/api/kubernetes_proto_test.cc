#include "core/api/kubernetes_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::api {
namespace {

using testing::HasSubstr;

// A length-delimited field.
std::string WireField(int number, const std::string& bytes) {
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
  return std::string("k8s\0", 4) + WireField(1, WireField(1, "v1") + WireField(2, kind)) +
         WireField(2, raw) + WireField(3, "") + WireField(4, "");
}

TEST(KubernetesProtoTest, ReadsCoreKinds) {
  const std::string meta =
      WireField(1, WireField(1, "n") + WireField(3, "d") +
                       WireField(11, WireField(1, "app") + WireField(2, "x")) +
                       WireField(13, WireField(1, "Service") + WireField(4, "u") + Number(6, 1)) +
                       WireField(14, "a/b") + WireField(8, ""));
  const auto secret = ReadKubernetesProto(
      Envelope("Secret", meta + WireField(2, WireField(1, "k") + WireField(2, "v")) +
                             WireField(3, "Opaque") + Number(5, 1)));
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(
      secret->dump(),
      R"({"apiVersion":"v1","data":{"k":"dg=="},"immutable":true,"kind":"Secret","metadata":{"finalizers":["a/b"],"labels":{"app":"x"},)"
      R"("name":"n","namespace":"d","ownerReferences":[{"controller":true,"kind":"Service","uid":"u"}]},"type":"Opaque"})");
  const auto account =
      ReadKubernetesProto(Envelope("ServiceAccount", meta + WireField(3, WireField(1, "pull")) +
                                                         WireField(2, WireField(3, "s"))));
  EXPECT_EQ((*account)["imagePullSecrets"][0]["name"], "pull");
  EXPECT_EQ((*account)["secrets"][0]["name"], "s");
  const auto options = ReadKubernetesProto(Envelope(
      "DeleteOptions",
      WireField(2, WireField(1, "uid")) + WireField(4, "Foreground") + WireField(5, "All")));
  EXPECT_EQ((*options)["preconditions"]["uid"], "uid");
  EXPECT_EQ((*options)["dryRun"][0], "All");
  const auto event = ReadKubernetesProto(
      Envelope("Event", WireField(6, std::string("\x08\x80\xe2\xcf\xaa\x06", 6)) + Number(8, 3)));
  EXPECT_EQ((*event)["firstTimestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ((*event)["count"], 3);
}

TEST(KubernetesProtoTest, RefusesWhatIsBrokenOrUnknown) {
  EXPECT_EQ(ReadKubernetesProto("").error().code, Code::kInvalidArgument);
  EXPECT_EQ(ReadKubernetesProto(Envelope("Pod", "")).error().code, Code::kUnimplemented);
  const std::string whole = Envelope("ConfigMap", WireField(1, WireField(1, "name")));
  for (size_t length = 22; length < whole.size() - 4; ++length) {  // within `raw`
    EXPECT_FALSE(ReadKubernetesProto(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(ReadKubernetesProto(Envelope("ConfigMap", WireField(1, WireField(1, "\xff")))));
  EXPECT_FALSE(ReadKubernetesProto(Envelope("ConfigMap", Number(1, 1))));
}

}  // namespace
}  // namespace updraft::api
