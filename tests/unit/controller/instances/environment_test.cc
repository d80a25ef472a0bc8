#include "controller/instances/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::controller {
namespace {

using testing::ElementsAre;

NamedObjects Objects() {
  NamedObjects named;
  named.config_map = [](std::string_view name) -> std::shared_ptr<const Json> {
    if (name != "cm") return nullptr;
    return std::make_shared<Json>(
        Json::parse(R"({"data":{"A":"1","not a name":"x"},"binaryData":{"B":"Mg=="}})"));
  };
  named.secret = [](std::string_view name) -> std::shared_ptr<const Json> {
    if (name != "s") return nullptr;
    return std::make_shared<Json>(Json::parse(R"({"data":{"PASSWORD":"c2VzYW1l"}})"));
  };
  return named;
}

std::vector<Variable> Read(const char* container, const std::vector<Variable>& platform = {}) {
  const auto variables = EnvironmentOf(Json::parse(container), platform, Objects());
  EXPECT_TRUE(variables) << variables.error().message;
  return variables ? *variables : std::vector<Variable>();
}

TEST(EnvironmentOf, TakesWhatAUserCouldNameFromConfigMapsAndSecrets) {
  EXPECT_THAT(
      Read(
          R"({"envFrom":[{"prefix":"P_","configMapRef":{"name":"cm"}},{"secretRef":{"name":"s"}}]})"),
      ElementsAre(Variable{"P_A", "1"}, Variable{"P_B", "2"}, Variable{"PASSWORD", "sesame"}));
}

TEST(EnvironmentOf, EnvComesAfterEnvFromAndThePlatformLast) {
  EXPECT_THAT(Read(R"({"env":[{"name":"A","value":"own"},{"name":"PORT","value":"1"}],
                       "envFrom":[{"configMapRef":{"name":"cm"}}]})",
                   {{"PORT", "8080"}}),
              ElementsAre(Variable{"A", "own"}, Variable{"B", "2"}, Variable{"PORT", "8080"}));
}

TEST(EnvironmentOf, ReadsSingleKeys) {
  EXPECT_THAT(Read(R"({"env":[{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"A"}}},
                              {"name":"Y","valueFrom":{"secretKeyRef":{"name":"s","key":"PASSWORD"}}},
                              {"name":"Z","valueFrom":{"secretKeyRef":{"name":"no","key":"k","optional":true}}}]})"),
              ElementsAre(Variable{"X", "1"}, Variable{"Y", "sesame"}));
}

TEST(EnvironmentOf, SaysWhatIsMissing) {
  const auto error = [](const char* container) {
    return EnvironmentOf(Json::parse(container), {}, Objects()).error().message;
  };
  EXPECT_EQ(error(R"({"envFrom":[{"configMapRef":{"name":"gone"}}]})"),
            "configmap \"gone\" not found");
  EXPECT_EQ(
      error(R"({"env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"gone","key":"k"}}}]})"),
      "secret \"gone\" not found");
  EXPECT_EQ(
      error(R"({"env":[{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}]})"),
      "couldn't find key k in ConfigMap cm");
}

TEST(Expand, FollowsKubernetesRules) {
  const std::vector<Variable> variables = {{"A", "1"}, {"B", "$(A)"}};
  EXPECT_EQ(Expand("x$(A)y", variables), "x1y");
  EXPECT_EQ(Expand("$$(A)", variables), "$(A)");
  EXPECT_EQ(Expand("$(B)", variables), "$(A)");  // not expanded twice
  EXPECT_EQ(Expand("$(GONE)", variables), "$(GONE)");
  EXPECT_EQ(Expand("$A $ $( $", variables), "$A $ $( $");
}

}  // namespace
}  // namespace updraft::controller
