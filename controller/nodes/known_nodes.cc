#include "controller/nodes/known_nodes.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

constexpr char kNodes[] = "nodes";

RecordKeeper::Spec RecordSpecOf(Scheduling scheduling) {
  return Json{{"unschedulable", scheduling == Scheduling::kCordoned}};
}

Scheduling SchedulingOf(const Json& node) {
  return api::BoolAt(node, {"spec", "unschedulable"}) ? Scheduling::kCordoned
                                                      : Scheduling::kAllowed;
}

}  // namespace

KnownNodes::KnownNodes(ObjectStore& durable, ObjectStore& soft, RecordKeeper::Later later)
    : records_(durable,
               {.resource = "updraft.dev/nodes", .kind = "KnownNode", .noun = "node"},
               std::move(later)),
      soft_(soft) {}

KnownNodes::~KnownNodes() { soft_.Unwatch(watch_); }

std::set<NodeName> KnownNodes::Names() const {
  std::set<NodeName> names;
  for (const auto& record : records_.All())
    names.insert(api::NameOf(*record));
  return names;
}

void KnownNodes::Start(FleetLoop& fleet_loop) {
  fleet_loop_ = &fleet_loop;
  for (const auto& record : records_.All()) {
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
  const RecordKeeper::Spec* wish = records_.Wished(hello.node());
  const bool remembered = wish != nullptr ? wish->has_value() : records_.Get(hello.node()) != nullptr;
  if (!remembered) records_.Wish(hello.node(), RecordSpecOf(Scheduling::kAllowed));
}

void KnownNodes::OnChange(const Change& change) {
  const NodeName name = api::NameOf(*change.object);
  if (change.type == Change::Type::kDeleted) {
    // The fleet has no such node: it was taken off the show because it is forgotten already.
    if (!fleet_loop_->fleet().nodes().contains(name)) return;
    fleet_loop_->Change([&name](Fleet& fleet, Moment) { fleet.ForgetNode(name); });
    records_.Wish(name, std::nullopt);
    return;
  }
  const Scheduling scheduling = SchedulingOf(*change.object);
  fleet_loop_->Change(
      [&name, scheduling](Fleet& fleet, Moment) { fleet.SetScheduling(name, scheduling); });
  const auto record = records_.Get(name);
  const bool known = record && SchedulingOf(*record) == scheduling;
  // What is on its way may be something else.
  if (!known || records_.Wished(name) != nullptr) records_.Wish(name, RecordSpecOf(scheduling));
}

}  // namespace updraft::controller
