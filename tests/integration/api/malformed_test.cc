// Manifests that are wrong in one place: each is refused with a 4xx that names the field, nothing
// is stored, and the server goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/access.h"
#include "core/api/json.h"
#include "tests/integration/api/raw_client.h"

namespace updraft::controller {
namespace {

using testing::HasSubstr;

struct Malformed {
  const char* name;
  std::string manifest;  // YAML
  std::string named;     // what the message must contain: the field, or the line of a syntax error
};

// The Service with `container` as its only container and `more` beside the containers.
std::string ServiceYaml(const std::string& container, const std::string& more = "",
                    const std::string& metadata = "name: hello", const std::string& spec = "",
                    const std::string& template_metadata = "") {
  return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {" + metadata +
         "}\nspec:\n" + spec + "  template:\n" + template_metadata + "    spec:\n" + more +
         "      containers:\n      - " + container + "\n";
}

const std::string kImage = "image: example.com/hello";

std::vector<Malformed> Cases() {
  const auto in_container = [](const std::string& field) {
    return ServiceYaml("{" + kImage + ", " + field + "}");
  };
  const auto in_spec = [](const std::string& field) {
    return ServiceYaml(kImage, "      " + field + "\n");
  };
  const auto annotated = [](const std::string& annotation) {
    return ServiceYaml(kImage, "", "name: hello", "",
                   "    metadata: {annotations: {" + annotation + "}}\n");
  };
  const auto traffic = [](const std::string& targets) {
    return ServiceYaml(kImage, "", "name: hello", "  traffic: [" + targets + "]\n");
  };
  const std::string containers = "spec.template.spec.containers[0].";
  const std::string annotations = "spec.template.metadata.annotations.autoscaling.knative.dev/";
  return {
      // the text itself
      {"TabIndent", "apiVersion: serving.knative.dev/v1\nkind: Service\n\tmetadata: {}\n",
       "line 3"},
      {"UnclosedBracket",
       "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello\nspec: {}\n",
       "line"},
      {"BadIndent",
       "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n   name: hello\n  labels: "
       "{}\n",
       "line 5"},
      {"AliasOfNothing", ServiceYaml("{image: *nothing}"), "line"},
      {"NoKind", "apiVersion: serving.knative.dev/v1\nmetadata: {name: hello}\n", "Kind"},
      {"OtherVersion",
       "apiVersion: serving.knative.dev/v2\nkind: Service\nmetadata: {name: hello}\n",
       "serving.knative.dev/v2"},
      {"OtherNamespace", ServiceYaml(kImage, "", "name: hello, namespace: other"), "namespace"},
      {"NotAnObject", "- a\n- b\n", "not an object"},
      // unknown fields
      {"UnknownInContainer", in_container("imagee: x"), containers + "imagee"},
      {"UnknownInSpec", in_spec("contianerConcurrency: 5"),
       "spec.template.spec.contianerConcurrency"},
      {"UnknownAtTop", ServiceYaml(kImage) + "extra: {}\n", "extra"},
      {"UnknownInMetadata", ServiceYaml(kImage, "", "name: hello, lables: {a: b}"), "metadata.lables"},
      {"TwiceTheSameKey", ServiceYaml("{" + kImage + ", name: a, name: b}"), containers + "name"},
      // wrong types
      {"TextForNumber", in_spec("timeoutSeconds: soon"), "spec.template.spec.timeoutSeconds"},
      {"NumberForText", in_container("env: [{name: A, value: 5}]"), containers + "env[0].value"},
      {"BooleanForText", in_container("env: [{name: A, value: yes}]"), containers + "env[0].value"},
      {"MapForList", in_container("args: {a: b}"), containers + "args"},
      {"ListForMap", ServiceYaml(kImage, "", "name: hello, labels: [a]"), "metadata.labels"},
      {"FractionForInteger", in_spec("containerConcurrency: 1.5"),
       "spec.template.spec.containerConcurrency"},
      {"PortTooLarge", in_container("ports: [{containerPort: 99999999999}]"),
       containers + "ports[0].containerPort"},
      // names
      {"NameWithCapitals", ServiceYaml(kImage, "", "name: Hello"), "metadata.name"},
      {"NameTooLong", ServiceYaml(kImage, "", "name: " + std::string(64, 'a')), "metadata.name"},
      {"NoName", ServiceYaml(kImage, "", "labels: {a: b}"), "metadata.name"},
      {"BadLabel", ServiceYaml(kImage, "", "name: hello, labels: {a: 'b c'}"), "metadata.labels"},
      {"RevisionNameOfAnother",
       ServiceYaml(kImage, "", "name: hello", "", "    metadata: {name: other-1}\n"),
       "spec.template.metadata.name"},
      // limits and rules
      {"NoImage", ServiceYaml("{name: x}"), containers + "image"},
      {"BadImage", ServiceYaml("{image: 'a b'}"), containers + "image"},
      {"NoContainers",
       "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello}\nspec: "
       "{template: {spec: {containers: []}}}\n",
       "spec.template.spec.containers"},
      {"NegativeConcurrency", in_spec("containerConcurrency: -1"),
       "spec.template.spec.containerConcurrency"},
      {"TimeoutTooLong", in_spec("timeoutSeconds: 3600"), "spec.template.spec.timeoutSeconds"},
      {"ReservedVariable", in_container("env: [{name: K_SERVICE, value: x}]"),
       containers + "env[0].name"},
      {"ReservedPort", in_container("ports: [{containerPort: 8012}]"),
       containers + "ports.containerPort"},
      {"TwoPorts", in_container("ports: [{containerPort: 80}, {containerPort: 81}]"),
       "spec.template.spec.containers[*].ports"},
      {"HostPort", in_container("ports: [{containerPort: 80, hostPort: 80}]"),
       containers + "ports.hostPort"},
      {"HostNetwork", in_spec("hostNetwork: true"), "spec.template.spec.hostNetwork"},
      {"Lifecycle", in_container("lifecycle: {preStop: {exec: {command: [x]}}}"),
       containers + "lifecycle"},
      {"BadQuantity", in_container("resources: {limits: {memory: much}}"),
       containers + "resources.limits.memory"},
      {"TwoProbeHandlers",
       in_container("readinessProbe: {httpGet: {path: /}, exec: {command: [x]}}"),
       containers + "readinessProbe.httpGet"},
      {"BadScale", annotated("autoscaling.knative.dev/min-scale: 'x'"), annotations + "min-scale"},
      {"MinAboveMax",
       annotated("autoscaling.knative.dev/min-scale: '3', autoscaling.knative.dev/max-scale: '2'"),
       annotations + "max-scale"},
      {"ScalingOfTheService",
       ServiceYaml(kImage, "", "name: hello, annotations: {autoscaling.knative.dev/min-scale: '1'}"),
       "autoscaling.knative.dev/min-scale"},
      {"TrafficTooLittle", traffic("{percent: 50}"), "spec.traffic"},
      {"TrafficTagTwice", traffic("{percent: 100, tag: a}, {tag: a}"), "spec.traffic[1].tag"},
      {"UnmountedVolume", in_spec("volumes: [{name: v, emptyDir: {}}]"),
       "spec.template.spec.volumes[0].name"},
      {"MountOfNothing", in_container("volumeMounts: [{name: v, mountPath: /v}]"),
       containers + "volumeMounts[0].name"},
  };
}

class MalformedTest : public testing::TestWithParam<Malformed> {
 protected:
  // One server for all: it has to survive every one of them.
  static ApiPlatform& Platform() {
    static ApiPlatform platform;
    return platform;
  }
};

TEST_P(MalformedTest, IsRefusedByTheNameOfItsField) {
  const std::string target = "/apis/serving.knative.dev/v1/namespaces/default/services";
  const Reply reply = Send(Platform(), "POST", target + "?fieldValidation=Strict",
                           GetParam().manifest, {{"Content-Type", "application/yaml"}});
  EXPECT_GE(reply.status, 400) << reply.body;
  EXPECT_LT(reply.status, 500) << reply.body;
  EXPECT_THAT(api::StringAt(reply.json(), {"message"}), HasSubstr(GetParam().named));
  EXPECT_EQ(reply.json()["code"], reply.status);
  const Json list = Send(Platform(), "GET", target).json();
  EXPECT_EQ(list["items"].size(), 0U) << list;
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedTest, testing::ValuesIn(Cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(MalformedCases, AreAtLeastThirty) { EXPECT_GE(Cases().size(), 30U); }

}  // namespace
}  // namespace updraft::controller
