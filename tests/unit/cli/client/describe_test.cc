#include "cli/client/describe.h"

#include <gmock/gmock.h>

#include "core/api/read.h"

namespace updraft::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const Json kObject = api::ReadYaml(R"(
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
  namespace: default
  labels: {app: hello, tier: web}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
spec:
  template: {spec: {containers: [{image: dev.local/hello, args: [a, b]}]}}
status:
  latestReadyRevisionName: hello-00001
)")
                         ->front()
                         .value;

TEST(DescribeTest, ReadsLikeKubectl) {
  const std::string text = Describe(kObject, Json::array());
  EXPECT_THAT(text, testing::StartsWith("Name:         hello\n"
                                        "Namespace:    default\n"
                                        "Labels:       app: hello\n"
                                        "              tier: web\n"
                                        "Annotations:  <none>\n"
                                        "API Version:  serving.knative.dev/v1\n"
                                        "Kind:         Service\n"));
  EXPECT_THAT(text, HasSubstr("  Latest Ready Revision Name: hello-00001\n"));
  EXPECT_THAT(text, HasSubstr("Image:        dev.local/hello\n"));
  EXPECT_THAT(text, HasSubstr("Events:       <none>\n"));
  EXPECT_THAT(text, Not(HasSubstr("last-applied")));
}

TEST(DescribeTest, EventsComeInOrder) {
  const Json events = Json::parse(
      R"([{"type":"Warning","reason":"Later","lastTimestamp":"2026-01-02T00:00:00Z","message":"b"},
                                      {"type":"Normal","reason":"First","lastTimestamp":"2026-01-01T00:00:00Z","message":"a","count":3}])");
  const std::string text = Describe(kObject, events);
  EXPECT_LT(text.find("First"), text.find("Later"));
}

TEST(DescribeTest, AStrangeObjectIsShownToo) {
  EXPECT_THAT(Describe(Json::parse(R"({"metadata": 5, "spec": "x"})"), Json::array()),
              HasSubstr("Spec:         x"));
}

}  // namespace
}  // namespace updraft::cli
