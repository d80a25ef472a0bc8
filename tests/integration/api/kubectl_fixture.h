// The API server as the real kubectl sees it; kubectls_test.cc says which ones.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/api_platform.h"
#include "tests/integration/api/command.h"

namespace updraft::controller {

class KubectlTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr char kServing[] = "serving.knative.dev/v1";
  static constexpr char kHello[] = R"(
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
      - image: example.com/hello:1
        env:
        - name: TARGET
          value: world
)";

  KubectlTest() {
    char folder[] = "/tmp/updraft-kubectl-XXXXXX";
    home_ = mkdtemp(folder);
  }
  ~KubectlTest() override { std::filesystem::remove_all(home_); }

  std::vector<std::string> Command(std::vector<std::string> arguments) const {
    std::vector<std::string> command = {GetParam(), "--server=" + platform_.url()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  std::map<std::string, std::string> Environment() const {
    return {{"HOME", home_}, {"KUBECONFIG", home_ + "/none"}, {"EDITOR", home_ + "/editor"}};
  }
  Outcome Kubectl(std::vector<std::string> arguments, const std::string& input = {}) const {
    return RunCommand(Command(std::move(arguments)), input, Environment());
  }
  // Expects success; gives what was printed.
  std::string Ok(std::vector<std::string> arguments, const std::string& input = {}) const {
    std::string line;
    for (const std::string& argument : arguments) line += argument + " ";
    const Outcome outcome = Kubectl(std::move(arguments), input);
    EXPECT_EQ(outcome.code, 0) << "kubectl " << line << "\n" << outcome.out << outcome.err;
    return outcome.out;
  }
  // Expects failure; gives the complaint.
  std::string Fails(std::vector<std::string> arguments, const std::string& input = {}) const {
    const Outcome outcome = Kubectl(std::move(arguments), input);
    EXPECT_NE(outcome.code, 0) << outcome.out;
    return outcome.err;
  }
  Json Hello() { return platform_.Stored(kServing, "Service", "default", "hello"); }
  void ApplyHello() { Ok({"apply", "-f", "-"}, kHello); }

  // Kubectls before this minor version lack what the test is about.
  bool OlderThan(int minor) const {
    const Outcome version =
        RunCommand({GetParam(), "version", "--client", "-o", "json"}, {}, Environment());
    const Json parsed = Json::parse(version.out, nullptr, false);
    return std::atoi(api::StringAt(parsed, {"clientVersion", "minor"}).c_str()) < minor;
  }

  // What reconcilers would say of the service.
  void SetReady(const std::string& status, const std::string& reason = "") {
    Json service = Hello();
    service["status"] = Json::parse(
        R"({"url":"http://hello.default.localhost","latestCreatedRevisionName":"hello-00001"})");
    service["status"]["observedGeneration"] = api::GenerationOf(service);
    service["status"]["conditions"] = Json::parse(R"([{"type":"Ready"}])");
    service["status"]["conditions"][0]["status"] = status;
    if (!reason.empty()) service["status"]["conditions"][0]["reason"] = reason;
    platform_.Store(kServing, "Service", service);
  }

  mutable ApiPlatform platform_;
  std::string home_;
};

}  // namespace updraft::controller
