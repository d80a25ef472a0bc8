#include "controller/nodes/known_nodes.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr char kKnownNodes[] = "updraft.dev/nodes";  // not served by the API
constexpr char kNodes[] = "nodes";

ObjectKey KeyOfNode(const NodeName& name) { return {kKnownNodes, "", name}; }

Json RecordOf(const NodeName& name, Scheduling scheduling) {
  return {{"apiVersion", "updraft.dev/v1"},
          {"kind", "KnownNode"},
          {"metadata", {{"name", name}}},
          {"spec", {{"unschedulable", scheduling == Scheduling::kCordoned}}}};
}

Scheduling SchedulingOf(const Json& node) {
  return api::BoolAt(node, {"spec", "unschedulable"}) ? Scheduling::kCordoned
                                                      : Scheduling::kAllowed;
}

}  // namespace

KnownNodes::~KnownNodes() { soft_.Unwatch(watch_); }

std::set<NodeName> KnownNodes::Names() const {
  std::set<NodeName> names;
  for (const auto& record : durable_.List(kKnownNodes, "").objects)
    names.insert(api::NameOf(*record));
  return names;
}

void KnownNodes::Start(FleetLoop& fleet_loop) {
  fleet_loop_ = &fleet_loop;
  for (const auto& record : durable_.List(kKnownNodes, "").objects) {
    const Scheduling scheduling = SchedulingOf(*record);
    fleet_loop.Change([&record, scheduling](Fleet& fleet, Moment) {
      fleet.SetScheduling(api::NameOf(*record), scheduling);
    });
  }
  const auto watch =
      soft_.Watch(kNodes, "", soft_.revision(), [this](const Change& change) { OnChange(change); });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void KnownNodes::OnHello(const v1::NodeHello& hello) {
  if (!durable_.Get(KeyOfNode(hello.node())))
    scope_.Spawn(Keep(hello.node(), Scheduling::kAllowed));
}

void KnownNodes::OnChange(const Change& change) {
  const NodeName name = api::NameOf(*change.object);
  if (change.type == Change::Type::kDeleted) {
    // The fleet has no such node: it was taken off the show because it is forgotten already.
    if (!fleet_loop_->fleet().nodes().contains(name)) return;
    fleet_loop_->Change([&name](Fleet& fleet, Moment) { fleet.ForgetNode(name); });
    scope_.Spawn(Drop(name));
    return;
  }
  const Scheduling scheduling = SchedulingOf(*change.object);
  fleet_loop_->Change(
      [&name, scheduling](Fleet& fleet, Moment) { fleet.SetScheduling(name, scheduling); });
  const auto record = durable_.Get(KeyOfNode(name));
  if (!record || SchedulingOf(*record->object) != scheduling) scope_.Spawn(Keep(name, scheduling));
}

http::Task<void> KnownNodes::Keep(NodeName name, Scheduling scheduling) {
  ObjectKey key = KeyOfNode(name);
  Json record = RecordOf(name, scheduling);
  const auto stored = durable_.Get(key);
  Result<Stored> kept = Error{};
  if (stored) {
    kept = co_await durable_.Update(std::move(key), std::move(record), stored->revision);
  } else {
    kept = co_await durable_.Create(std::move(key), std::move(record));
  }
  if (kept) co_return;
  const Code code = kept.error().code;
  if (code != Code::kAlreadyExists && code != Code::kAborted) {
    Log(Level::kWarn, "node_not_remembered", {{"node", name}, {"error", kept.error().message}});
    co_return;
  }
  // Another write was faster. What it says may be older than what the user has wished meanwhile.
  const auto node = soft_.Get({kNodes, "", name});
  if (node) scope_.Spawn(Keep(name, SchedulingOf(*node->object)));
}

http::Task<void> KnownNodes::Drop(NodeName name) {
  ObjectKey key = KeyOfNode(name);
  const auto dropped = co_await durable_.Delete(std::move(key), std::nullopt);
  if (!dropped && dropped.error().code != Code::kNotFound) {
    Log(Level::kWarn, "node_not_forgotten", {{"node", name}, {"error", dropped.error().message}});
  }
}

}  // namespace updraft::controller
