#include "controller/feeds/routing_sessions.h"

#include <algorithm>

#include "controller/instances/fleet_views.h"

namespace updraft::controller {
namespace {

constexpr Nanos kTimeoutDefault = Seconds(300);  // an activator's

std::vector<SlotBroker::InstanceFacts> InstancesOf(const Fleet& fleet, const RevisionKey& key) {
  std::vector<SlotBroker::InstanceFacts> facts;
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    const bool listed = MayHoldRequests(*instance);
    facts.push_back({.id = instance->id,
                     .listed = listed,
                     .takes = listed && Ready(*instance),
                     .adopted = instance->adopted});
  }
  return facts;
}

}  // namespace

void RoutingSessions::SetRoute(const v1::Route& route, const std::string& fingerprint) {
  feed_.SetRoute(route);
  confirmations_.Set(route.key(), fingerprint);
}

void RoutingSessions::RemoveRoute(const std::string& key) {
  feed_.RemoveRoute(key);
  confirmations_.Remove(key);
}

bool RoutingSessions::Programmed(std::string_view ns, std::string_view name,
                                 std::string_view fingerprint) const {
  return confirmations_.Confirmed(std::string(ns) + "/" + std::string(name), fingerprint);
}

void RoutingSessions::SetRevisions(const Fleet& fleet, const FleetChanges& changes, TimePoint now) {
  for (const RevisionKey& key : changes.revisions) {
    const auto state = fleet.revisions().find(key);
    const bool known = state != fleet.revisions().end() && state->second.spec;
    const v1::Revision routing = known ? state->second.spec->routing : v1::Revision();
    const Nanos timeout = routing.timeout_ns() > 0 ? Nanos(routing.timeout_ns()) : kTimeoutDefault;
    broker_.SetRevision(key, routing.container_concurrency(), timeout, InstancesOf(fleet, key), now);
    if (const auto revision = RoutedRevisionOf(fleet, key)) {
      feed_.SetRevision(*revision, EndpointsOf(fleet, key, now));
    } else {
      feed_.RemoveRevision(key);
    }
  }
}

void RoutingSessions::Hello(Session session, const v1::ActivatorHello& hello, TimePoint now) {
  Activator& activator = activators_[session];
  activator.id = hello.activator_id();
  activator.lineage = hello.lineage().empty() ? hello.activator_id() : hello.lineage();
  feed_.Subscribe(session);
  confirmations_.Join(session);
  broker_.Hello(session, hello, now);
  if (memory_ != nullptr && !remembered_.contains(activator.lineage)) memory_->Remember(activator.lineage);
  ForgetGone();
}

void RoutingSessions::Wake(TimePoint now) {
  broker_.Wake(now);
  ForgetGone();
}

void RoutingSessions::ForgetGone() {
  for (const std::string& lineage : broker_.TakeForgotten()) {
    remembered_.erase(lineage);
    if (memory_ != nullptr) memory_->Forget(lineage);
  }
}

std::optional<ActivatorId> RoutingSessions::End(Session session, TimePoint now) {
  broker_.End(session, now);
  ForgetGone();
  feed_.Unsubscribe(session);
  confirmations_.Leave(session);
  const ActivatorId id = activators_[session].id;
  activators_.erase(session);
  if (id.empty()) return std::nullopt;
  const bool has_another =
      std::ranges::any_of(activators_, [&id](const auto& entry) { return entry.second.id == id; });
  return has_another ? std::nullopt : std::optional(id);
}

std::optional<v1::RoutingUpdate> RoutingSessions::Take(Session session) {
  Activator& activator = activators_.at(session);
  if (activator.id.empty()) return std::nullopt;
  if (memory_ != nullptr && !remembered_.contains(activator.lineage)) return std::nullopt;
  auto update = feed_.Take(session);
  if (!update) {
    if (!broker_.HasNews(session)) return std::nullopt;
    update.emplace();
    broker_.Tell(session, *update);
    return update;
  }
  broker_.Tell(session, *update);
  update->set_sequence(++activator.sequence);
  activator.unconfirmed.push_back({activator.sequence, confirmations_.version()});
  return update;
}

void RoutingSessions::Flushed(Session session) {
  const Activator& activator = activators_.at(session);
  if (!activator.acks) Reach(session, activator.sequence);
}

void RoutingSessions::Applied(Session session, int64_t sequence) {
  activators_.at(session).acks = true;
  Reach(session, sequence);
}

void RoutingSessions::Reach(Session session, int64_t sequence) {
  std::deque<Sent>& unconfirmed = activators_.at(session).unconfirmed;
  while (!unconfirmed.empty() && unconfirmed.front().sequence <= sequence) {
    confirmations_.Reach(session, unconfirmed.front().version);
    unconfirmed.pop_front();
  }
}

size_t RoutingSessions::activator_count() const {
  return static_cast<size_t>(std::ranges::count_if(
      activators_, [](const auto& entry) { return !entry.second.id.empty(); }));
}

}  // namespace updraft::controller
