#include "controller/nodes/known_nodes.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/base/backoff.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr char kKnownNodes[] = "updraft.dev/nodes";  // not served by the API
constexpr char kNodes[] = "nodes";
constexpr BackoffPolicy kRetry = {.first = Millis(200), .most = Seconds(30)};

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
  const auto wish = wishes_.find(hello.node());
  const bool wished = wish != wishes_.end() && wish->second.scheduling;
  const bool forgotten = wish != wishes_.end() && !wish->second.scheduling;
  if (wished || (!forgotten && durable_.Get(KeyOfNode(hello.node())))) return;
  Remember(hello.node(), Scheduling::kAllowed);
}

void KnownNodes::OnChange(const Change& change) {
  const NodeName name = api::NameOf(*change.object);
  if (change.type == Change::Type::kDeleted) {
    // The fleet has no such node: it was taken off the show because it is forgotten already.
    if (!fleet_loop_->fleet().nodes().contains(name)) return;
    fleet_loop_->Change([&name](Fleet& fleet, Moment) { fleet.ForgetNode(name); });
    Remember(name, std::nullopt);
    return;
  }
  const Scheduling scheduling = SchedulingOf(*change.object);
  fleet_loop_->Change(
      [&name, scheduling](Fleet& fleet, Moment) { fleet.SetScheduling(name, scheduling); });
  const auto record = durable_.Get(KeyOfNode(name));
  const bool known = record && SchedulingOf(*record->object) == scheduling;
  // What is on its way may be something else.
  if (!known || wishes_.contains(name)) Remember(name, scheduling);
}

void KnownNodes::Remember(const NodeName& name, std::optional<Scheduling> scheduling) {
  Wish& wish = wishes_[name];
  wish.scheduling = scheduling;
  if (!std::exchange(wish.under_way, true)) scope_.Spawn(WriteWish(name));
}

http::Task<void> KnownNodes::WriteWish(NodeName name) {
  while (true) {
    const std::optional<Scheduling> scheduling = wishes_.at(name).scheduling;
    http::Task<Status> write = Write(name, scheduling);
    const Status written = co_await write;
    Wish& wish = wishes_.at(name);
    if (written && wish.scheduling == scheduling) {
      wishes_.erase(name);
      co_return;
    }
    // Another write was faster, or there is another wish by now.
    if (written || written.error().code == Code::kAborted) continue;
    TryAgain(name, written.error());
    co_return;
  }
}

void KnownNodes::TryAgain(const NodeName& name, const Error& error) {
  Wish& wish = wishes_.at(name);
  if (++wish.failures == 1) {
    Log(Level::kWarn, wish.scheduling ? "node_not_remembered" : "node_not_forgotten",
        {{"node", name}, {"error", error.message}});
  }
  later_(BackoffDelay(kRetry, wish.failures, 1.0), [this, name, life = std::weak_ptr(life_)] {
    if (!life.expired()) scope_.Spawn(WriteWish(name));
  });
}

http::Task<Status> KnownNodes::Write(NodeName name, std::optional<Scheduling> scheduling) {
  ObjectKey key = KeyOfNode(name);
  const auto stored = durable_.Get(key);
  if (!scheduling) {
    const auto dropped = co_await durable_.Delete(std::move(key), std::nullopt);
    if (dropped || dropped.error().code == Code::kNotFound) co_return Ok();
    co_return dropped.error();
  }
  Json record = RecordOf(name, *scheduling);
  Result<Stored> kept = Error{};
  if (stored) {
    kept = co_await durable_.Update(std::move(key), std::move(record), stored->revision);
  } else {
    kept = co_await durable_.Create(std::move(key), std::move(record));
  }
  if (kept) co_return Ok();
  const Code code = kept.error().code;
  if (code == Code::kAlreadyExists || code == Code::kNotFound)
    co_return Error{Code::kAborted, kept.error().message};
  co_return kept.error();
}

}  // namespace updraft::controller
