#include "node-agent/spec/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node-agent/spec/node_fields.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;

v1::Container Container(std::vector<std::string> command, std::vector<std::string> args) {
  v1::Container container;
  for (auto& word : command) container.add_command(std::move(word));
  for (auto& word : args) container.add_args(std::move(word));
  return container;
}

ImageConfig Image() {
  ImageConfig image;
  image.entrypoint = {"/entry", "point"};
  image.cmd = {"cmd"};
  return image;
}

TEST(ArgumentsTest, TheImageAloneRunsEntrypointAndCmd) {
  EXPECT_THAT(*Arguments(Container({}, {}), Image()), ElementsAre("/entry", "point", "cmd"));
}

TEST(ArgumentsTest, ArgsReplaceTheCmd) {
  EXPECT_THAT(*Arguments(Container({}, {"a", "b"}), Image()), ElementsAre("/entry", "point", "a", "b"));
}

TEST(ArgumentsTest, CommandReplacesBoth) {
  EXPECT_THAT(*Arguments(Container({"/run"}, {}), Image()), ElementsAre("/run"));
  EXPECT_THAT(*Arguments(Container({"/run"}, {"x"}), Image()), ElementsAre("/run", "x"));
}

TEST(ArgumentsTest, WordsAreTakenAsTheyAre) {
  EXPECT_THAT(*Arguments(Container({"/run"}, {"$(PORT)", "$$"}), Image()), ElementsAre("/run", "$(PORT)", "$$"));
}

TEST(ArgumentsTest, NothingToRunIsRefused) {
  const auto arguments = Arguments(Container({}, {}), {});
  ASSERT_FALSE(arguments);
  EXPECT_EQ(arguments.error().code, Code::kInvalidArgument);
}

TEST(EnvironmentTest, TheContainersWordComesLastAndOnce) {
  v1::Container container;
  v1::EnvVar& path = *container.add_env();
  path.set_name("PATH");
  path.set_value("/mine");
  v1::EnvVar& port = *container.add_env();
  port.set_name("PORT");
  port.set_value("8080");
  ImageConfig image;
  image.env = {"PATH=/image", "A=b=c", "broken", "=nameless"};
  EXPECT_THAT(Environment(container, image, "hello-1"),
              ElementsAre("PATH=/mine", "HOSTNAME=hello-1", "A=b=c", "PORT=8080"));
}

TEST(EnvironmentTest, ThereIsAlwaysAPath) {
  EXPECT_THAT(Environment({}, {}, "h"),
              ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=h"));
}

TEST(NodeFieldsTest, AreWhereTheirMarksWere) {
  v1::Container container = Container({"/run", "\x1enode-name\x1e"}, {"a=\x1epod-ip\x1e,b=\x1epod-ip\x1e"});
  container.add_env()->set_value("http://\x1ehost-ip\x1e:80");
  container = WithNodeFields(std::move(container), {.node_name = "n1", .host_ip = "10.0.0.1", .pod_ip = "10.1.0.7"});
  EXPECT_EQ(container.command(1), "n1");
  EXPECT_EQ(container.args(0), "a=10.1.0.7,b=10.1.0.7");
  EXPECT_EQ(container.env(0).value(), "http://10.0.0.1:80");
}

TEST(WorkingDirectoryTest, TheContainersThenTheImagesThenRoot) {
  v1::Container container;
  ImageConfig image;
  EXPECT_EQ(WorkingDirectory(container, image), "/");
  image.working_dir = "app";
  EXPECT_EQ(WorkingDirectory(container, image), "/app");
  container.set_working_dir("/tmp");
  EXPECT_EQ(WorkingDirectory(container, image), "/tmp");
}

}  // namespace
}  // namespace updraft::node_agent
