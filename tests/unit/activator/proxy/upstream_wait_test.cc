#include "activator/proxy/upstream_pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>

namespace updraft::activator {
namespace {

TEST(UpstreamWaitTest, WhatCameForOneThatIsGoneIsTheNextOnes) {
  Loop loop;
  UpstreamPool pool(loop, {});
  auto first = std::make_unique<UpstreamWait>(pool, "i");
  auto second = std::make_unique<UpstreamWait>(pool, "i");
  UpstreamWait third(pool, "i");
  pool.Closed("i");
  EXPECT_FALSE(first->pending());
  EXPECT_TRUE(second->pending());
  first.reset();
  EXPECT_FALSE(second->pending());
  second->Use();
  second.reset();
  EXPECT_TRUE(third.pending());

  auto fourth = std::make_unique<UpstreamWait>(pool, "i");
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  const UniqueFd other(sockets[1]);
  third.GiveUp();
  pool.Give("i", std::make_unique<UpstreamConnection>(loop, UniqueFd(sockets[0])));
  EXPECT_FALSE(fourth->pending());
  UpstreamWait fifth(pool, "i");
  fourth.reset();
  EXPECT_FALSE(fifth.pending());
  EXPECT_NE(fifth.TakeConnection(), nullptr);
}

}  // namespace
}  // namespace updraft::activator
