#include <gtest/gtest.h>

#include "controller/feeds/route_confirmations.h"
#include "controller/feeds/routing_feed.h"
#include "controller/feeds/target_feed.h"

namespace updraft::controller {
namespace {

v1::Revision RevisionOf(const std::string& key, uint32_t concurrency = 0) {
  v1::Revision revision;
  revision.set_key(key);
  revision.set_container_concurrency(concurrency);
  return revision;
}

v1::Endpoints EndpointsOf(const std::string& key, int count) {
  v1::Endpoints endpoints;
  endpoints.set_revision(key);
  for (int i = 0; i < count; ++i)
    endpoints.add_endpoints()->set_instance_id("i" + std::to_string(i));
  return endpoints;
}

v1::Route RouteOf(const std::string& key, const std::string& host = "h") {
  v1::Route route;
  route.set_key(key);
  route.add_hosts()->set_host(host);
  return route;
}

TEST(RoutingFeed, BeginsWithEverythingAndGoesOnWithChanges) {
  RoutingFeed feed;
  feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", 1));
  feed.SetRoute(RouteOf("d/r"));
  feed.Subscribe(1);
  const auto full = feed.Take(1);
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->full());
  EXPECT_EQ(full->revisions_size(), 1);
  EXPECT_EQ(full->endpoints_size(), 1);
  EXPECT_EQ(full->routes_size(), 1);
  EXPECT_FALSE(feed.Take(1));

  feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", 2));
  const auto delta = feed.Take(1);
  ASSERT_TRUE(delta);
  EXPECT_FALSE(delta->full());
  EXPECT_EQ(delta->revisions_size(), 0);
  EXPECT_EQ(delta->endpoints(0).endpoints_size(), 2);
}

TEST(RoutingFeed, TheRequestLogIsToldInFullUpdatesAndWhenItChanges) {
  RoutingFeed feed;
  v1::RequestLog log;
  log.set_enabled(true);
  log.set_format("{{.Request.URL}}");
  feed.SetRequestLog(log);
  feed.Subscribe(1);
  const auto full = feed.Take(1);
  ASSERT_TRUE(full && full->full());
  EXPECT_EQ(full->request_log().format(), "{{.Request.URL}}");
  feed.SetRequestLog(log);
  EXPECT_FALSE(feed.Take(1));
  log.set_enabled(false);
  feed.SetRequestLog(log);
  const auto change = feed.Take(1);
  ASSERT_TRUE(change && !change->full() && change->has_request_log());
  EXPECT_FALSE(change->request_log().enabled());
  EXPECT_FALSE(feed.Take(1));
}

TEST(RoutingFeed, TheFirstUpdateOfAnEmptyStateIsFullAllTheSame) {
  RoutingFeed feed;
  feed.Subscribe(1);
  const auto full = feed.Take(1);
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->full());
}

TEST(RoutingFeed, ManyChangesAreOneUpdateInTheNewestState) {
  RoutingFeed feed;
  feed.Subscribe(1);
  (void)feed.Take(1);
  for (int i = 0; i < 100; ++i) feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", i));
  feed.SetRoute(RouteOf("d/r"));
  feed.RemoveRoute("d/r");
  const auto update = feed.Take(1);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->endpoints_size(), 1);
  EXPECT_EQ(update->endpoints(0).endpoints_size(), 99);
  EXPECT_EQ(update->removed_routes_size(), 1);
}

TEST(RoutingFeed, SayingTheSameAgainIsNoChange) {
  RoutingFeed feed;
  feed.Subscribe(1);
  (void)feed.Take(1);
  feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", 1));
  EXPECT_TRUE(feed.Take(1));
  feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", 1));
  feed.RemoveRevision("d/other");
  EXPECT_FALSE(feed.Take(1));
}

TEST(RoutingFeed, ARemovedRevisionTakesItsEndpointsAlong) {
  RoutingFeed feed;
  feed.SetRevision(RevisionOf("d/a"), EndpointsOf("d/a", 1));
  feed.Subscribe(1);
  (void)feed.Take(1);
  feed.RemoveRevision("d/a");
  const auto update = feed.Take(1);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->removed_revisions(0), "d/a");
  EXPECT_EQ(update->endpoints_size(), 0);
}

TEST(TargetFeed, FullThenChanges) {
  TargetFeed feed;
  v1::ScaleTarget target;
  target.set_revision("d/a");
  feed.Set(target);
  feed.Subscribe(7);
  EXPECT_TRUE(feed.Take(7)->full());
  feed.Set(target);
  EXPECT_FALSE(feed.Take(7));
  target.set_ready(1);
  feed.Set(target);
  EXPECT_EQ(feed.Take(7)->targets(0).ready(), 1U);
  feed.Remove("d/a");
  EXPECT_EQ(feed.Take(7)->removed(0), "d/a");
}

TEST(TargetFeed, TheConfigComesWithAFullListAndWhenItChanges) {
  TargetFeed feed;
  v1::AutoscalerConfig config;
  config.set_exists(true);
  (*config.mutable_keys())["stable-window"] = "30s";
  feed.SetConfig(config);
  feed.Subscribe(7);
  EXPECT_EQ(feed.Take(7)->config().keys().at("stable-window"), "30s");
  feed.SetConfig(config);
  EXPECT_FALSE(feed.Take(7));
  feed.SetConfig({});
  const auto update = feed.Take(7);
  ASSERT_TRUE(update);
  EXPECT_FALSE(update->full());
  EXPECT_TRUE(update->has_config());
  EXPECT_FALSE(update->config().exists());
  EXPECT_FALSE(feed.Take(7));
}

TEST(RouteConfirmations, WaitForTheSlowestActivator) {
  RouteConfirmations confirmations;
  confirmations.Join(1);
  confirmations.Join(2);
  confirmations.Set("d/r", "f1");
  confirmations.Reach(1, confirmations.version());
  EXPECT_TRUE(confirmations.TakeConfirmed().empty());
  EXPECT_FALSE(confirmations.Confirmed("d/r", "f1"));
  confirmations.Reach(2, confirmations.version());
  EXPECT_EQ(confirmations.TakeConfirmed(), std::vector<std::string>{"d/r"});
  EXPECT_TRUE(confirmations.Confirmed("d/r", "f1"));
  EXPECT_FALSE(confirmations.Confirmed("d/r", "f2"));
}

TEST(RouteConfirmations, NoActivatorConfirmsNothingAndOneThatLeavesIsNotWaitedFor) {
  RouteConfirmations confirmations;
  confirmations.Set("d/r", "f1");
  EXPECT_TRUE(confirmations.TakeConfirmed().empty());
  confirmations.Join(1);
  confirmations.Join(2);
  confirmations.Reach(1, confirmations.version());
  confirmations.Leave(2);
  EXPECT_EQ(confirmations.TakeConfirmed().size(), 1U);
  confirmations.Leave(1);
  EXPECT_TRUE(confirmations.Confirmed("d/r", "f1"));
}

TEST(RouteConfirmations, AChangeIsToBeConfirmedAnew) {
  RouteConfirmations confirmations;
  confirmations.Join(1);
  confirmations.Set("d/r", "f1");
  confirmations.Assume("d/r");
  EXPECT_TRUE(confirmations.Confirmed("d/r", "f1"));
  confirmations.Set("d/r", "f2");
  EXPECT_FALSE(confirmations.Confirmed("d/r", "f2"));
  confirmations.Reach(1, 1);
  EXPECT_TRUE(confirmations.TakeConfirmed().empty());
  confirmations.Reach(1, 2);
  EXPECT_EQ(confirmations.TakeConfirmed().size(), 1U);
}

}  // namespace
}  // namespace updraft::controller
