#include "node-agent/spec/user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::node_agent {
namespace {

const UserFiles kFiles = {
    .passwd = "root:x:0:0:root:/root:/bin/sh\nbroken line\napp:x:1000:1001:App:/home/app:/bin/sh\n",
    .group = "root:x:0:\nbin:x:1:root,daemon\napp:x:1001:\nwheel:x:10:app,root\nweb:x:33:\n",
};

struct Case {
  std::string name;
  UserRequest request;
  ResolvedUser want;
};

class ResolveUserTest : public testing::TestWithParam<Case> {};

TEST_P(ResolveUserTest, Resolves) {
  const auto user = ResolveUser(GetParam().request, kFiles);
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(user->uid, GetParam().want.uid);
  EXPECT_EQ(user->gid, GetParam().want.gid);
  EXPECT_EQ(user->additional_gids, GetParam().want.additional_gids);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResolveUserTest,
    testing::ValuesIn(std::vector<Case>{
        {"NobodySaysIsRoot", {.image_user = ""}, {0, 0, {1, 10}}},
        {"AName", {.image_user = "app"}, {1000, 1001, {10}}},
        {"ANameAndAGroup", {.image_user = "app:web"}, {1000, 33, {10}}},
        {"ANameAndAGroupNumber", {.image_user = "app:77"}, {1000, 77, {10}}},
        {"ANumberWithAnEntry", {.image_user = "1000"}, {1000, 1001, {10}}},
        {"ANumberWithoutAnEntry", {.image_user = "65532"}, {65532, 0, {}}},
        {"TwoNumbers", {.image_user = "65532:65533"}, {65532, 65533, {}}},
        {"RunAsUserReplacesUserAndGroup", {.image_user = "app:web", .run_as_user = 2020}, {2020, 0, {}}},
        {"RunAsGroupAlone", {.image_user = "app", .run_as_group = 5}, {1000, 5, {10}}},
        {"RunAsBoth", {.image_user = "app", .run_as_user = 7, .run_as_group = 8}, {7, 8, {}}},
        {"NonRootIsKept", {.image_user = "1000", .run_as_non_root = true}, {1000, 1001, {10}}},
    }),
    [](const auto& test) { return test.param.name; });

struct BadCase {
  std::string name;
  UserRequest request;
  Code code = Code::kInvalidArgument;
  std::string message;
};

class RefusedUserTest : public testing::TestWithParam<BadCase> {};

TEST_P(RefusedUserTest, SaysWhy) {
  UserRequest request = GetParam().request;
  request.pod = "hello-1_default";
  request.container = "user-container";
  const auto user = ResolveUser(request, kFiles);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, GetParam().code);
  EXPECT_EQ(user.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedUserTest,
    testing::ValuesIn(std::vector<BadCase>{
        {"AnUnknownName", {.image_user = "ghost"}, Code::kInvalidArgument, "no user \"ghost\" in the image's /etc/passwd"},
        {"AnUnknownGroup", {.image_user = "app:ghost"}, Code::kInvalidArgument, "no group \"ghost\" in the image's /etc/group"},
        {"RootByDefault", {.image_user = "", .run_as_non_root = true}, Code::kFailedPrecondition,
         "container has runAsNonRoot and image will run as root (pod: \"hello-1_default\", container: user-container)"},
        {"RootByNumber", {.image_user = "0:0", .run_as_non_root = true}, Code::kFailedPrecondition,
         "container has runAsNonRoot and image will run as root (pod: \"hello-1_default\", container: user-container)"},
        {"AName", {.image_user = "app", .run_as_non_root = true}, Code::kFailedPrecondition,
         "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root (pod: "
         "\"hello-1_default\", container: user-container)"},
        {"RunAsRoot", {.image_user = "1000", .run_as_user = 0, .run_as_non_root = true}, Code::kFailedPrecondition,
         "container's runAsUser breaks non-root policy (pod: \"hello-1_default\", container: user-container)"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(ResolveUserTest, AnImageWithoutFilesTakesNumbersOnly) {
  EXPECT_TRUE(ResolveUser({.image_user = "1000:1000"}, {}));
  EXPECT_TRUE(ResolveUser({.image_user = ""}, {}));
  EXPECT_FALSE(ResolveUser({.image_user = "app"}, {}));
}

}  // namespace
}  // namespace updraft::node_agent
