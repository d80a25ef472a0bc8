#include "cli/client/commands.h"

#include <gmock/gmock.h>

namespace updraft::cli {
namespace {

// Parses a command line without running anything: --server points nowhere.
class CommandsTest : public testing::TestWithParam<const char*> {
 protected:
  CommandsTest() {
    app_.require_subcommand(1);
    AddClientCommands(app_, "", exit_code_);
  }
  // Exit code of the parse: 0 when the flags are known; the verbs themselves fail later.
  int Parse(const std::string& line) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = 0;
    try {
      app_.parse(line);
    } catch (const CLI::ParseError& error) {
      code = app_.exit(error);
    }
    testing::internal::GetCapturedStdout();
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }
  CLI::App app_;
  int exit_code_ = -1;
  std::string errors_;
};

class GoodLineTest : public CommandsTest {};
TEST_P(GoodLineTest, IsTaken) {
  EXPECT_EQ(Parse(GetParam()), 0) << errors_;
  EXPECT_EQ(exit_code_, 1) << "nobody is there to answer";
}
INSTANTIATE_TEST_SUITE_P(
    Table, GoodLineTest,
    testing::Values(
        "get ksvc hello --server 127.0.0.1:1", "get ksvc -A -o wide --server 127.0.0.1:1",
        "get pods -n x -l a=b -w --no-headers --server 127.0.0.1:1",
        "describe ksvc hello --server 127.0.0.1:1",
        "patch ksvc hello --type json -p [] --dry-run --server 127.0.0.1:1",
        "label ksvc hello a=b c- --overwrite --server 127.0.0.1:1",
        "annotate ksvc/hello a=b --server 127.0.0.1:1", "cordon n1 --server 127.0.0.1:1",
        "uncordon n1 n2 --server 127.0.0.1:1", "drain n1 --timeout 10s --server 127.0.0.1:1",
        "apply -f a.yaml --server-side --force-conflicts --field-manager me --server 127.0.0.1:1",
        "create -f a.yaml --dry-run --server 127.0.0.1:1", "replace -f a.yaml --server 127.0.0.1:1",
        "edit ksvc/hello --server 127.0.0.1:1", "delete ksvc hello --no-wait --server 127.0.0.1:1",
        "delete -f /nowhere --server 127.0.0.1:1",
        "wait --for=condition=Ready ksvc/hello --timeout 60s --server 127.0.0.1:1",
        "wait --for=delete pods -l serving.knative.dev/service=hello --timeout 120s --server "
        "127.0.0.1:1",
        "logs hello-pod -f -c user --tail 5 --since 5m --timestamps -p --server 127.0.0.1:1",
        "apply --kubeconfig /nowhere -f a.yaml",
        "apply -f a.yaml -f b.yaml -R --wait --dry-run --server 127.0.0.1:1",
        "image load --agent unix:/nowhere.sock /nowhere.tar",
        "image list --agent unix:/nowhere.sock", "image rm --agent unix:/nowhere.sock x"));

class BadLineTest : public CommandsTest {};
TEST_P(BadLineTest, IsRefused) {
  EXPECT_NE(Parse(GetParam()), 0);
  EXPECT_EQ(exit_code_, -1) << "nothing has run";
}
INSTANTIATE_TEST_SUITE_P(Table, BadLineTest,
                         testing::Values("get", "get ksvc -o pretty", "apply", "wait ksvc/x",
                                         "wait ksvc/x --for=delete --timeout soon",
                                         "logs x --tail -1", "logs x --since yesterday",
                                         "delete x --cascade never", "patch ksvc x",
                                         "patch ksvc x -p {} --type loud", "label", "drain",
                                         "apply -f a --force-conflicts", "image", "image load"));

}  // namespace
}  // namespace updraft::cli
