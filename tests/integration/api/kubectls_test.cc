// Which kubectls the tests run with: each of $UPDRAFT_KUBECTL (paths between colons), or the one on the path.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/api/kubectl_fixture.h"

namespace updraft::controller {
namespace {

std::vector<std::string> Kubectls() {
  std::vector<std::string> found;
  const char* given = getenv("UPDRAFT_KUBECTL");
  if (given != nullptr) {
    std::istringstream paths(given);
    for (std::string path; std::getline(paths, path, ':');) found.push_back(path);
    return found;
  }
  std::istringstream folders(getenv("PATH") == nullptr ? "" : getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/kubectl").c_str(), X_OK) == 0) return {folder + "/kubectl"};
  }
  return found;
}

INSTANTIATE_TEST_SUITE_P(Each, KubectlTest, testing::ValuesIn(Kubectls()),
                         [](const auto& test) { return "No" + std::to_string(test.index); });

// Says why nothing ran, where there is no kubectl.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KubectlTest);
TEST(KubectlPresence, IsNeededForTheTestsAbove) {
  if (Kubectls().empty()) GTEST_SKIP() << "no kubectl on this machine: install kubernetes-client";
}

}  // namespace
}  // namespace updraft::controller
