#include "activator/routing/routing_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/core/http/test_certificates.h"

namespace updraft::activator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow{Nanos(77)};

RevisionSettings Settings(const std::string& key, uint32_t concurrency = 0) {
  RevisionSettings settings;
  settings.key = key;
  settings.container_concurrency = concurrency;
  return settings;
}

RouteUpdate Route(const std::string& name, const std::string& revision) {
  return {.key = "ns/" + name, .hosts = {{.host = name, .splits = {{revision, 100}}}}};
}

EndpointUpdate Endpoint(const std::string& id, bool draining = false) {
  return {.address = {.id = id, .ip = "10.0.0." + id, .port = 80}, .draining = draining};
}

EndpointsUpdate Endpoints(std::vector<EndpointUpdate> endpoints, bool known = true) {
  return {.revision = "ns/a", .known = known, .endpoints = std::move(endpoints)};
}

std::vector<std::string> OpenIds(const RouteTable& table, const std::string& host) {
  std::vector<std::string> ids;
  const RevisionView view = table.ViewOf(*table.Find(host)->Choose());
  if (view.instances) {
    for (const auto& instance : view.instances->open) ids.push_back(instance->id());
  }
  return ids;
}

// A state with the route "a" to the revision "ns/a" with instances 1 and 2.
struct Started {
  Started() {
    table = state
                .Apply({.full = true,
                        .revisions = {Settings("ns/a")},
                        .endpoints = {Endpoints({Endpoint("2"), Endpoint("1")})},
                        .routes = {Route("a", "ns/a")}},
                       kNow)
                .table;
  }
  std::vector<std::string> After(const RoutingUpdate& update) {
    table = state.Apply(update, kNow).table;
    return OpenIds(*table, "a");
  }
  RoutingState state{1};
  std::shared_ptr<const RouteTable> table;
};

TEST(RoutingStateTest, AFullStateIsRouted) {
  Started s;
  EXPECT_THAT(OpenIds(*s.table, "a"), ElementsAre("1", "2")) << "by address";
  const Instance* first = s.state.FindInstance("ns/a", "1");
  EXPECT_EQ(first->host_port(), "10.0.0.1:80");
  EXPECT_EQ(first->cold_start().routed_ns, 77);
}

TEST(RoutingStateTest, InstancesThatBecomeBusyOrIdleAreTakenOnce) {
  Started s;
  const auto take = [&s] {
    RoutingState::LoadChanges changes;
    s.state.TakeLoadChanges("ns/a", changes);
    s.state.TakeLoadChanges("ns/unknown", changes);
    return changes;
  };
  EXPECT_THAT(take(), IsEmpty());
  Instance* first = s.state.FindInstance("ns/a", "1");
  ASSERT_TRUE(first->TryTake());
  ASSERT_TRUE(first->TryTake());
  EXPECT_THAT(take(), ElementsAre(std::pair<std::string, uint32_t>("1", 2)));
  first->Return();
  EXPECT_THAT(take(), IsEmpty());
  s.state.ForgetLoads();
  EXPECT_THAT(take(), ElementsAre(std::pair<std::string, uint32_t>("1", 1)));
  first->Return();
  EXPECT_THAT(take(), ElementsAre(std::pair<std::string, uint32_t>("1", 0)));
}

TEST(RoutingStateTest, ARoutesCertificateIsFoundByItsHostsUntilItChanges) {
  Started s;
  const auto find = [&s](const RoutingUpdate& update) {
    s.table = s.state.Apply(update, kNow).table;
    return s.table->FindCertificate("a");
  };
  EXPECT_EQ(find({}), nullptr);
  EXPECT_EQ(s.table->FindCertificate("unknown"), nullptr);
  RouteUpdate route = Route("a", "ns/a");
  const http::Pem pem = http::MakePem({"a"});
  route.certificate = {pem.chain, pem.key};
  const auto first = find({.routes = {route}});
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->chain_pem(), pem.chain);
  EXPECT_EQ(find({.routes = {route}}), first) << "said again";
  const http::Pem next = http::MakePem({"a"});
  route.certificate = {next.chain, next.key};
  EXPECT_EQ(find({.routes = {route}})->chain_pem(), next.chain);
  route.certificate = {next.chain, "no key"};
  EXPECT_EQ(find({.routes = {route}}), nullptr);
  EXPECT_FALSE(s.table->Find("a")->route->https_only);
  route.https_only = true;
  (void)find({.routes = {route}});
  EXPECT_TRUE(s.table->Find("a")->route->https_only);
}

TEST(RoutingStateTest, EachEndpointsMessageReplacesItsRevisionsList) {
  Started s;
  EXPECT_THAT(s.After({.endpoints = {Endpoints({Endpoint("2"), Endpoint("3")})}}), ElementsAre("2", "3"));
  EXPECT_THAT(s.After({.endpoints = {Endpoints({})}}), IsEmpty());
}

TEST(RoutingStateTest, WhileTheControllerDoesNotKnowTheActivatorKeepsWhatItHas) {
  Started s;
  EXPECT_THAT(s.After({.endpoints = {Endpoints({}, false)}}), ElementsAre("1", "2"));
  EXPECT_THAT(s.After({.endpoints = {Endpoints({Endpoint("3")}, false)}}), ElementsAre("1", "2", "3"));
  EXPECT_THAT(s.After({.full = true,
                       .revisions = {Settings("ns/a")},
                       .endpoints = {Endpoints({}, false)},
                       .routes = {Route("a", "ns/a")}}),
              ElementsAre("1", "2", "3"));
  EXPECT_THAT(s.After({.endpoints = {Endpoints({Endpoint("1")}, true)}}), ElementsAre("1"));
}

TEST(RoutingStateTest, AFullStateReplacesAllThatWasSaid) {
  Started s;
  const auto before = s.table;
  const auto after = s.state
                         .Apply({.full = true, .revisions = {Settings("ns/b")}, .routes = {Route("b", "ns/b")}}, kNow)
                         .table;
  EXPECT_EQ(after->Find("a"), nullptr);
  EXPECT_EQ(after->host_count(), 1u);
  EXPECT_EQ(after->revision_count(), 1u);
  EXPECT_EQ(OpenIds(*before, "a").size(), 2u) << "a snapshot stands still";
  EXPECT_EQ(s.state.FindInstance("ns/a", "1"), nullptr);
}

TEST(RoutingStateTest, AnUnchangedRouteKeepsItsRuleOverAFullState) {
  Started s;
  const HostRule* before = s.table->Find("a");
  s.After({.full = true,
           .revisions = {Settings("ns/a")},
           .endpoints = {Endpoints({Endpoint("1")})},
           .routes = {Route("a", "ns/a")}});
  EXPECT_EQ(s.table->Find("a"), before);
  EXPECT_THAT(OpenIds(*s.table, "a"), ElementsAre("1"));
}

TEST(RoutingStateTest, RevisionsAndRoutesComeInAnyOrder) {
  RoutingState state(1);
  auto table = state.Apply({.routes = {Route("a", "ns/a")}}, kNow).table;
  const Revision* revision = table->Find("a")->Choose();
  EXPECT_EQ(table->ViewOf(*revision).settings, nullptr);
  table = state.Apply({.revisions = {Settings("ns/a", 3)}}, kNow).table;
  EXPECT_EQ(table->Find("a")->Choose(), revision);
  EXPECT_EQ(table->ViewOf(*revision).settings->container_concurrency, 3u);
}

TEST(RoutingStateTest, ARevisionThatIsMadeAgainIsTheOneThatRoutesName) {
  Started s;
  const Revision* revision = s.table->Find("a")->Choose();
  const Publication removed = s.state.Apply({.removed_revisions = {"ns/a"}}, kNow);
  ASSERT_EQ(removed.changes.size(), 1u);
  EXPECT_EQ(removed.changes[0].view.settings, nullptr);
  const auto table = s.state.Apply({.revisions = {Settings("ns/a")}}, kNow).table;
  EXPECT_EQ(table->Find("a")->Choose(), revision);
  EXPECT_NE(table->ViewOf(*revision).settings, nullptr);
  EXPECT_THAT(OpenIds(*table, "a"), IsEmpty());
}

TEST(RoutingStateTest, OnlyWhatHasChangedIsPublished) {
  Started s;
  const Publication same =
      s.state.Apply({.revisions = {Settings("ns/a")}, .routes = {Route("a", "ns/a")}}, kNow);
  EXPECT_THAT(same.changes, IsEmpty());
  const Publication changed = s.state.Apply({.revisions = {Settings("ns/a", 9)}}, kNow);
  ASSERT_EQ(changed.changes.size(), 1u);
  EXPECT_EQ(changed.changes[0].view.instances->open.size(), 2u) << "the instances stay";
}

TEST(RoutingStateTest, ARouteMovesItsHosts) {
  Started s;
  const auto table =
      s.state
          .Apply({.routes = {{.key = "ns/a", .hosts = {{.host = "new", .splits = {{"ns/a", 100}}}}}}}, kNow)
          .table;
  EXPECT_EQ(table->Find("a"), nullptr);
  EXPECT_NE(table->Find("new"), nullptr);
}

TEST(RoutingStateTest, AHostTakenOverByAnotherRouteOutlivesTheFirst) {
  Started s;
  s.state.Apply({.routes = {{.key = "ns/x", .hosts = {{.host = "a", .splits = {{"ns/x", 100}}}}}}}, kNow);
  const auto table = s.state.Apply({.removed_routes = {"ns/a"}}, kNow).table;
  EXPECT_EQ(table->Find("a")->Choose()->key(), "ns/x");
}

TEST(RoutingStateTest, AnEndpointWithANewAddressIsANewInstance) {
  Started s;
  const std::shared_ptr<Instance> old = s.table->ViewOf(*s.table->Find("a")->Choose()).instances->open[0];
  EndpointUpdate moved = Endpoint("1");
  moved.address.ip = "10.0.0.9";
  s.After({.endpoints = {Endpoints({moved})}});
  EXPECT_FALSE(old->Open());
  EXPECT_EQ(s.state.FindInstance("ns/a", "1")->ip(), "10.0.0.9");
}

TEST(RoutingStateTest, AnInstanceThatIsListedAgainStillCountsTheRequestsInside) {
  Started started;
  started.After({.revisions = {Settings("ns/a", 1)}});
  const RevisionView before = started.table->ViewOf(*started.table->Find("a")->Choose());
  Instance* instance = before.instances->open[0].get();
  ASSERT_TRUE(instance->TryTake());
  EXPECT_THAT(started.After({.endpoints = {Endpoints({Endpoint("2")})}}), ElementsAre("2"));
  EXPECT_THAT(started.After({.endpoints = {Endpoints({Endpoint("1"), Endpoint("2")})}}), ElementsAre("1", "2"));
  const RevisionView after = started.table->ViewOf(*started.table->Find("a")->Choose());
  EXPECT_EQ(after.instances->open[0].get(), instance);
  EXPECT_FALSE(instance->TryTake()) << "the one from before is still inside";
  EXPECT_EQ(instance->Return(), Instance::AfterReturn::kOpen);
  EXPECT_TRUE(instance->TryTake());
}

TEST(RoutingStateTest, AnInstanceThatIsListedAgainWhenAllHaveLeftIsANewOne) {
  Started started;
  const RevisionView before = started.table->ViewOf(*started.table->Find("a")->Choose());
  Instance* instance = before.instances->open[0].get();
  ASSERT_TRUE(instance->TryTake());
  started.After({.endpoints = {Endpoints({Endpoint("2")})}});
  EXPECT_EQ(instance->Return(), Instance::AfterReturn::kDrained);
  EXPECT_FALSE(started.state.OnDrained(instance));
  EXPECT_THAT(started.After({.endpoints = {Endpoints({Endpoint("1"), Endpoint("2")})}}), ElementsAre("1", "2"));
}

TEST(RoutingStateTest, DrainingIsTakenBack) {
  Started s;
  EXPECT_THAT(s.After({.endpoints = {Endpoints({Endpoint("1", true), Endpoint("2")})}}), ElementsAre("2"));
  const Instance* drained = s.state.FindInstance("ns/a", "1");
  EXPECT_EQ(s.state.OnDrained(drained), "1");
  EXPECT_THAT(s.After({.endpoints = {Endpoints({Endpoint("1"), Endpoint("2")})}}), ElementsAre("1", "2"));
  EXPECT_EQ(s.state.OnDrained(drained), std::nullopt) << "old news";
  EXPECT_TRUE(drained->Open());
}

TEST(RoutingStateTest, ADrainedInstanceIsToldAgainWithEachList) {
  Started s;
  const RoutingUpdate update{.endpoints = {Endpoints({Endpoint("1", true)})}};
  EXPECT_THAT(s.state.Apply(update, kNow).drained, ElementsAre("1"));
  EXPECT_THAT(s.state.Apply(update, kNow).drained, ElementsAre("1")) << "the first may have been lost";
}

TEST(RoutingStateTest, ManyRoutesOneByOneCostNoMoreThanTheirNumber) {
  // Of this thread alone: other work of the machine does not count.
  const auto cpu_time = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return Seconds(now.tv_sec) + Nanos(now.tv_nsec);
  };
  const auto time_for = [&cpu_time](int count) {
    RoutingState state(1);
    const Nanos start = cpu_time();
    for (int i = 0; i < count; ++i) {
      const std::string name = "svc" + std::to_string(i);
      state.Apply({.revisions = {Settings("ns/" + name)}, .routes = {Route(name, "ns/" + name)}}, kNow);
    }
    return cpu_time() - start;
  };
  // Quadratic work would take a hundred times as long; caches are allowed for.
  EXPECT_LT(time_for(20'000), 40 * time_for(2'000));
}

// ---- slots that are shared

RoutingUpdate Shared(std::vector<RevisionSlotsUpdate> revisions = {}, std::vector<std::string> forgotten = {},
                     int64_t epoch = 1) {
  return {.sharing = SharingUpdate{.epoch = epoch, .revisions = std::move(revisions), .forgotten = std::move(forgotten)}};
}

// The revision has containerConcurrency 4 and instance 1.
struct SharedSlots {
  SharedSlots() {
    Apply({.full = true,
           .revisions = {Settings("ns/a", 4)},
           .endpoints = {Endpoints({Endpoint("1")})},
           .routes = {Route("a", "ns/a")}});
  }
  Publication Apply(const RoutingUpdate& update) { return state.Apply(update, kNow); }
  Instance& instance(const std::string& id = "1") { return *state.FindInstance("ns/a", id); }
  Revision& revision() { return *state.FindRevision("ns/a"); }
  RoutingState state{1};
};

TEST(SharedSlotsTest, WithoutOthersAnInstanceHasAllItsSlots) {
  SharedSlots s;
  EXPECT_FALSE(s.state.shares_slots());
  EXPECT_EQ(s.instance().limit(), 4u);
  EXPECT_EQ(s.revision().slot_demand.load(), Revision::SlotDemand::kNone);
}

TEST(SharedSlotsTest, WhatIsKnownStaysAndWhatIsNewHasWhatIsGranted) {
  SharedSlots s;
  RoutingUpdate update = Shared();
  update.endpoints = {Endpoints({Endpoint("1"), Endpoint("2")})};
  s.Apply(update);
  EXPECT_TRUE(s.state.shares_slots());
  EXPECT_EQ(s.instance().limit(), 4u);
  EXPECT_EQ(s.instance("2").limit(), 0u);
  EXPECT_EQ(s.revision().slot_demand.load(), Revision::SlotDemand::kArmed);
  const Publication granted = s.Apply(Shared({{.revision = "ns/a", .granted = {{"1", 4}, {"2", 3}, {"3", 2}}}}));
  EXPECT_EQ(granted.more_slots.size(), 1u);
  EXPECT_EQ(s.instance().limit(), 4u) << "that it has already";
  EXPECT_EQ(s.instance("2").limit(), 3u);
  EXPECT_THAT(s.Apply(Shared({{.revision = "ns/a", .granted = {{"2", 3}}}})).more_slots, IsEmpty()) << "twice";
  update.endpoints = {Endpoints({Endpoint("1"), Endpoint("2"), Endpoint("3")})};
  s.Apply(update);
  EXPECT_EQ(s.instance("3").limit(), 2u) << "granted before it was heard of";
}

TEST(SharedSlotsTest, ItComesDownWithWhatIsIdleAtOnceAndTheRestAsRequestsEnd) {
  SharedSlots s;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(s.instance().TryTake());
  s.Apply(Shared({{.revision = "ns/a", .share = 1}}));
  EXPECT_EQ(s.instance().limit(), 3u);
  EXPECT_EQ(s.revision().slots_over.load(), 2u);
  EXPECT_THAT(s.state.TakeReturnedSlots(), ElementsAre(std::pair<std::string, uint32_t>("1", 1)));
  ASSERT_TRUE(s.revision().TakeSlotOver());
  s.instance().ReturnWithSlot();
  s.state.LookForSlots("ns/a");
  EXPECT_THAT(s.state.TakeReturnedSlots(), ElementsAre(std::pair<std::string, uint32_t>("1", 2)));
  EXPECT_EQ(s.revision().slots_over.load(), 1u);
  // A request that ended before it could see that.
  s.instance().Return();
  s.state.LookForSlots("ns/a");
  EXPECT_THAT(s.state.TakeReturnedSlots(), ElementsAre(std::pair<std::string, uint32_t>("1", 3)));
  EXPECT_EQ(s.instance().limit(), 1u);
  s.Apply(Shared({{.revision = "ns/a", .granted = {{"1", 6}}}}));
  EXPECT_EQ(s.instance().limit(), 3u);
  EXPECT_EQ(s.revision().slots_over.load(), 0u) << "it keeps what it has";
}

TEST(SharedSlotsTest, AnInstanceThatIsListedAgainHasWhatItHad) {
  SharedSlots s;
  s.Apply(Shared());
  ASSERT_TRUE(s.instance().TryTake());
  Instance& instance = s.instance();
  s.Apply([] {
    RoutingUpdate update = Shared();
    update.endpoints = {Endpoints({})};
    return update;
  }());
  EXPECT_THAT(s.state.TakeReturnedSlots(), ElementsAre(std::pair<std::string, uint32_t>("1", 3))) << "all that is idle";
  RoutingUpdate again = Shared({{.revision = "ns/a", .granted = {{"1", 4}}}});
  again.endpoints = {Endpoints({Endpoint("1")})};
  s.Apply(again);
  EXPECT_EQ(&s.instance(), &instance);
  EXPECT_EQ(s.instance().limit(), 1u);
  EXPECT_FALSE(s.instance().TryTake());
}

TEST(SharedSlotsTest, AtAnotherAddressItHasTheSlotsOfTheOneBefore) {
  SharedSlots s;
  s.Apply(Shared());
  ASSERT_TRUE(s.instance().TryTake());
  EndpointUpdate moved = Endpoint("1");
  moved.address.ip = "10.0.0.9";
  RoutingUpdate update = Shared();
  update.endpoints = {Endpoints({moved})};
  s.Apply(update);
  EXPECT_EQ(s.instance().limit(), 1u);
}

TEST(SharedSlotsTest, WithAStreamCountingBeginsWithWhatIsHeld) {
  SharedSlots s;
  s.Apply(Shared({{.revision = "ns/a", .share = 3}}));
  EXPECT_THAT(s.state.HeldSlots(), ElementsAre(std::pair<std::string, uint32_t>("1", 3)));
  EXPECT_EQ(s.state.slot_epoch(), 0);
  EXPECT_THAT(s.state.TakeReturnedSlots(), IsEmpty()) << "it is part of what was said";
  RoutingUpdate full = Shared({{.revision = "ns/a", .granted = {{"1", 4}}}}, {}, 0);
  full.full = true;
  full.revisions = {Settings("ns/a", 4)};
  full.endpoints = {Endpoints({Endpoint("1")})};
  s.Apply(full);
  EXPECT_EQ(s.instance().limit(), 4u) << "one more, and the share is not told any more";
}

TEST(SharedSlotsTest, WithoutAControllerForTooLongAllIsGivenUpUntilItIsBack) {
  SharedSlots s;
  s.Apply(Shared());
  ASSERT_TRUE(s.instance().TryTake());
  s.state.GiveUpSlots();
  EXPECT_EQ(s.instance().limit(), 1u);
  ASSERT_TRUE(s.revision().TakeSlotOver());
  ASSERT_TRUE(s.revision().TakeSlotOver()) << "as many as there are";
  s.instance().ReturnWithSlot();
  EXPECT_FALSE(s.instance().TryTake());
  EXPECT_THAT(s.state.HeldSlots(), IsEmpty());
  s.Apply(Shared({{.revision = "ns/a", .granted = {{"1", 2}}}}, {}, 0));
  EXPECT_EQ(s.instance().limit(), 2u);
  EXPECT_EQ(s.revision().slots_over.load(), 0u);
}

TEST(SharedSlotsTest, OneThatIsAloneGivesUpNothing) {
  SharedSlots s;
  s.state.GiveUpSlots();
  EXPECT_EQ(s.instance().limit(), 4u);
}

TEST(SharedSlotsTest, WhenTheOthersHaveGoneItHasEverythingAgain) {
  SharedSlots s;
  s.Apply(Shared({{.revision = "ns/a", .share = 0}}));
  EXPECT_EQ(s.instance().limit(), 0u);
  s.Apply({});
  EXPECT_EQ(s.instance().limit(), 4u);
  s.Apply(Shared({}, {}, 2));
  EXPECT_EQ(s.instance().limit(), 4u);
  s.Apply(Shared({{.revision = "ns/a", .share = 1}}, {}, 2));
  EXPECT_EQ(s.instance().limit(), 1u);
  s.Apply(Shared({}, {}, 3));  // the update between was overtaken
  EXPECT_EQ(s.instance().limit(), 4u);
}

}  // namespace
}  // namespace updraft::activator
