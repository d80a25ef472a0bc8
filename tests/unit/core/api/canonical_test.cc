#include "core/api/canonical.h"

#include <gtest/gtest.h>

#include "core/api/quantity.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

std::string CanonicalContainer(const std::string& patch) {
  Json service = WithContainer(patch);
  MakeSpecCanonical(KindNamed("ksvc"), service);
  const Json once = service;
  MakeSpecCanonical(KindNamed("ksvc"), service);
  EXPECT_EQ(service, once) << "a second time changes nothing";
  Json container = service["spec"]["template"]["spec"]["containers"][0];
  container.erase("image");
  return container.dump();
}

TEST(CanonicalTest, ZeroesAreLeftOutKeptOrWrittenAsInGo) {
  for (const auto& [patch, want] : std::vector<std::pair<std::string, std::string>>{
           {"{}", R"({"resources":{}})"},
           {R"({"stdin":false,"tty":false,"workingDir":"","command":[],"args":[],"env":[],"ports":[]})",
            R"({"resources":{}})"},
           {R"({"resources":{"limits":{},"requests":{},"claims":[]}})", R"({"resources":{}})"},
           {R"({"ports":[{"name":""}]})",
            R"({"ports":[{"containerPort":0,"protocol":"TCP"}],"resources":{}})"},
           {R"({"ports":[{"containerPort":80,"protocol":"UDP"}]})",
            R"({"ports":[{"containerPort":80,"protocol":"UDP"}],"resources":{}})"},
           {R"({"livenessProbe":{"httpGet":{"path":""},"periodSeconds":0}})",
            R"({"livenessProbe":{"httpGet":{"port":0}},"resources":{}})"},
           {R"({"livenessProbe":{"grpc":{}}})",
            R"({"livenessProbe":{"grpc":{"port":0,"service":""}},"resources":{}})"},
           {R"({"livenessProbe":{"exec":{"command":[]},"terminationGracePeriodSeconds":0}})",
            R"({"livenessProbe":{"exec":{},"terminationGracePeriodSeconds":0},"resources":{}})"},
           {R"({"securityContext":{"runAsUser":0,"runAsNonRoot":false,"privileged":false,"capabilities":{"add":[],"drop":[]}}})",
            R"({"resources":{},"securityContext":{"capabilities":{},"privileged":false,"runAsNonRoot":false,"runAsUser":0}})"},
           {R"({"env":[{"name":"A","value":""},{"name":"B","valueFrom":{"secretKeyRef":{"key":"k","optional":false}}}]})",
            R"({"env":[{"name":"A"},{"name":"B","valueFrom":{"secretKeyRef":{"key":"k","optional":false}}}],"resources":{}})"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/v","readOnly":false,"subPath":""}]})",
            R"({"resources":{},"volumeMounts":[{"mountPath":"/v","name":"v"}]})"},
           {R"({"resources":{"limits":{"cpu":1.5,"memory":"1024Ki"}}})",
            R"({"resources":{"limits":{"cpu":"1500m","memory":"1Mi"}}})"},
       }) {
    EXPECT_EQ(CanonicalContainer(patch), want) << patch;
  }
}

TEST(CanonicalTest, OfTheSpecAlone) {
  Json service = WithSpec(
      R"({"containerConcurrency":0,"hostNetwork":false,"enableServiceLinks":false,"nodeSelector":{},"volumes":[],"serviceAccountName":""})");
  service["spec"]["traffic"] = Json::parse(R"([{"percent":0,"latestRevision":false,"tag":""}])");
  service["metadata"]["labels"] = Json::object();
  MakeSpecCanonical(KindNamed("ksvc"), service);
  Json& spec = service["spec"]["template"]["spec"];
  spec.erase("containers");
  EXPECT_EQ(spec.dump(), R"({"containerConcurrency":0,"enableServiceLinks":false})");
  EXPECT_EQ(service["spec"]["traffic"].dump(), R"([{"latestRevision":false,"percent":0}])");
  EXPECT_TRUE(service["metadata"].contains("labels"));
}

TEST(QuantityTest, IsWrittenInOneWay) {
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"0", "0"},       {"0Gi", "0"},      {"1", "1"},          {"1.5", "1500m"},  {"0.1", "100m"},
           {"1000m", "1"},   {"100000", "100k"}, {"1000", "1k"},     {"1024", "1024"},  {"1024Ki", "1Mi"},
           {"1.5Gi", "1536Mi"}, {"1000Mi", "1000Mi"}, {"0.5Ki", "512"}, {"1.1Ki", "1127"}, {"1e3", "1e3"},
           {"1500e-3", "1500e-3"}, {"12E6", "12e6"}, {"1E", "1E"},   {"-1024Ki", "-1Mi"}, {"-1000m", "-1"},
           {"+5", "5"},      {"1n", "1n"},      {"2500u", "2500u"},  {"3000u", "3m"}}) {
    EXPECT_EQ(CanonicalQuantity(text), want) << text;
  }
  EXPECT_EQ(CanonicalQuantity(Json(2)), "2");
  EXPECT_EQ(CanonicalQuantity(Json(0.25)), "250m");
  EXPECT_EQ(CanonicalQuantity("much"), std::nullopt);
}

}  // namespace
}  // namespace updraft::api
