// Fleet's decisions: one look at each revision that something happened to.
#include <algorithm>
#include <utility>

#include "controller/instances/fleet.h"
#include "controller/instances/fleet_views.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

// An instance of an unknown or removed revision goes with the grace it was made with.
Nanos GraceOf(const Instance& instance) {
  return instance.spec ? Nanos(instance.spec->termination_grace_ns()) : Nanos(Seconds(30));
}

}  // namespace

FleetChanges Fleet::Settle(Moment at) {
  UpdateHealth(at);
  OpenGateIfDue(at);
  while (!wakes_.empty() && wakes_.begin()->first <= at.now) {
    const RevisionKey key = wakes_.begin()->second;
    dirty_.insert(key);
    wake_of_.erase(key);
    wakes_.erase(wakes_.begin());
  }
  // A revision that goes makes room for others, which are looked at in the same turn.
  while (!dirty_.empty()) {
    const std::set<RevisionKey> keys = std::exchange(dirty_, {});
    for (const RevisionKey& key : keys) SettleRevision(key, at);
  }
  for (const NodeName& node : std::exchange(owed_desired_, {})) SendDesired(node, at);

  FleetChanges changes = std::exchange(changes_, {});
  const auto wake = [&changes, &at](std::optional<TimePoint> when) {
    if (!when || *when <= at.now) return;
    changes.wake_at = changes.wake_at ? std::min(*changes.wake_at, *when) : *when;
  };
  if (!wakes_.empty()) wake(wakes_.begin()->first);
  if (!gate_was_open_) wake(gate_.OpensAt());
  wake(health_due_);
  return changes;
}

// Connected nodes that speak only put off what would change otherwise: until then there is nothing to see.
void Fleet::UpdateHealth(Moment at) {
  if (!std::exchange(health_changed_, false) && health_due_ && at.now < *health_due_) return;
  for (auto& [name, node] : nodes_) {
    const NodeHealth health = HealthNow(node, options_.nodes, at.now);
    if (health == node.health) continue;
    if ((health == NodeHealth::kSilent) != (node.health == NodeHealth::kSilent))
      node.health_since_wall = at.wall;
    node.health = health;
    node.silent_since = health == NodeHealth::kSilent ? std::optional(at.now) : std::nullopt;
    changes_.nodes.insert(name);
    dirty_.insert(waiting_for_room_.begin(), waiting_for_room_.end());
  }
  const bool others = std::ranges::any_of(
      nodes_, [](const auto& entry) { return entry.second.health == NodeHealth::kConnected; });
  for (auto& [name, node] : nodes_) {
    const bool fenced = node.health == NodeHealth::kSilent;
    const bool lost = fenced && others && at.now >= *node.silent_since + options_.nodes.replacement;
    if (node.fenced == fenced && node.lost == lost) continue;
    node.fenced = fenced;
    node.lost = lost;
    for (const InstanceId& id : node.instances) {
      Instance& instance = *instances_.Find(id);
      instance.fenced = fenced;
      instance.lost = lost;
      Touch(instance);
    }
  }
  health_due_.reset();
  for (const auto& [name, node] : nodes_) {
    const std::optional<TimePoint> when = HealthChangesAt(node, options_.nodes);
    if (when && *when > at.now) health_due_ = health_due_ ? std::min(*health_due_, *when) : *when;
  }
}

void Fleet::OpenGateIfDue(Moment at) {
  if (gate_was_open_ || !gate_.Open(at.now)) return;
  gate_was_open_ = true;
  for (const auto& [key, state] : revisions_) dirty_.insert(key);
}

void Fleet::SettleRevision(const RevisionKey& key, Moment at) {
  changes_.revisions.insert(key);
  const auto it = revisions_.find(key);
  if (it == revisions_.end()) return;
  RevisionState& state = it->second;

  for (Instance* instance : instances_.OfRevision(key)) {
    if (instance->intent == Intent::kRun && OfAnEarlierOne(state, *instance)) {
      BeginStop(*instance, at);
    } else if (Ready(*instance)) {
      instance->in_routing = true;
      instance->drained_by.clear();
    }
  }

  DesiredInstanceCount desired;
  desired.start_not_before = state.start_not_before;
  if (state.removed) {
    if (revisions_loaded_) desired.count = 0;
  } else if (gate_was_open_) {
    desired.count = state.desired;
    desired.start_deadline = state.spec->progress_deadline();
  }
  // What an activation failed of is told until one succeeds: nobody asks for an instance any more,
  // but the next request would find out again. What a revision is called broken for is told likewise:
  // were it whole again without it, its min-scale would bring it back at once, over and over.
  const bool broken = state.spec != nullptr && state.spec->broken;
  const bool gave_up = state.decision.active() == v1::ACTIVE_TIMED_OUT || broken ||
                       state.trial == Trial::kGivenUp;
  if (desired.count == 0 && !gave_up) state.last_failure.reset();
  const std::vector<const Instance*> instances = std::as_const(instances_).OfRevision(key);
  const InstancePlan plan = PlanInstances(desired, instances, at.now);
  CarryOut(key, state, plan, at);
  AdvanceDrains(key, state, at);
  if (gate_was_open_ && state.spec)
    state.trial = NextTrial(state.trial, TrialFactsOf(*this, key));
  if (plan.look_again) WakeNoLaterThan(key, *plan.look_again);
  if (state.removed && instances_.CountOfRevision(key) == 0) {
    waiting_for_room_.erase(key);
    revisions_.erase(it);
  }
}

void Fleet::CarryOut(const RevisionKey& key, RevisionState& state, const InstancePlan& plan,
                     Moment at) {
  for (const InstanceId& id : plan.forget) {
    changes_.instances.insert(id);
    instances_.Erase(id);
  }
  for (const InstanceId& id : plan.stop) BeginStop(*instances_.Find(id), at);
  const bool startable = !state.removed && state.spec->resolved;
  for (int i = 0; i < plan.start && startable; ++i) {
    Instance instance;
    instance.id = NewInstanceName(state.spec->instance.revision(), random_);
    instance.revision = key;
    instance.created = at.now;
    instance.created_wall = at.wall;
    instance.intent_since = at.now;
    instance.cold_start = state.stamp;
    changes_.instances.insert(instance.id);
    instances_.Add(std::move(instance));
  }
  if (startable && gate_was_open_) state.stamp.Clear();  // it was for the instances of this turn
  PlaceAll(state, key, at);
}

void Fleet::BeginStop(Instance& instance, Moment at) {
  changes_.instances.insert(instance.id);
  if (instance.node.empty()) {  // nobody knows of it but us
    instances_.Erase(instance.id);
    return;
  }
  instance.intent = Intent::kDrain;
  instance.intent_since = at.now;
  if (!MayHoldRequests(instance)) OrderStop(instance, GraceOf(instance), at);
}

void Fleet::AdvanceDrains(const RevisionKey& key, const RevisionState& state, Moment at) {
  const bool in_routing = state.spec != nullptr;  // else the activators have never been told of it
  draining_.erase(key);
  for (Instance* instance : instances_.OfRevision(key)) {
    if (instance->intent != Intent::kDrain) continue;
    const Nanos grace = GraceOf(*instance);
    const ActivatorTable::Verdict verdict = activators_.Drained(*instance, at.now);
    const TimePoint patience_ends = instance->intent_since + grace;
    if (!in_routing || verdict.drained || !MayHoldRequests(*instance) || at.now >= patience_ends) {
      OrderStop(*instance, GraceLeft(grace, at.now - instance->intent_since), at);
      continue;
    }
    draining_.insert(key);
    WakeNoLaterThan(
        key, verdict.look_again ? std::min(*verdict.look_again, patience_ends) : patience_ends);
  }
}

void Fleet::OrderStop(Instance& instance, Nanos grace, Moment at) {
  if (!instance.reported && owed_desired_.contains(instance.node)) {
    Gone(instance
             .id);  // its node has just said that it does not have it, and will not be asked for it
    return;
  }
  instance.intent = Intent::kStop;
  instance.intent_since = at.now;
  changes_.instances.insert(instance.id);
  NoteEvent(InstanceEvent::Type::kNormal, instance, "Killing",
            "Stopping container " + (instance.spec ? instance.spec->serving_container()
                                                   : std::string("user-container")));
  v1::ControllerMessage message;
  message.mutable_stop()->set_instance_id(instance.id);
  message.mutable_stop()->set_grace_ns(grace.count());
  Send(instance.node, std::move(message));
}

void Fleet::Send(const NodeName& name, v1::ControllerMessage message) {
  const Node& node = nodes_.at(name);
  // One that is away, or has just come back, is told all at once.
  if (node.stream == 0 || !node.inventoried || owed_desired_.contains(name)) return;
  changes_.orders.push_back({name, std::move(message)});
}

void Fleet::SendDesired(const NodeName& name, Moment at) {
  const Node& node = nodes_.at(name);
  if (node.stream == 0) return;
  v1::ControllerMessage message;
  v1::DesiredInstances& desired = *message.mutable_desired();
  for (const InstanceId& id : node.instances) {
    const Instance& instance = *instances_.Find(id);
    if (instance.intent != Intent::kStop) {
      if (instance.spec) *desired.add_instances() = *instance.spec;
      continue;
    }
    v1::StopInstance& stop = *desired.add_stop();
    stop.set_instance_id(id);
    stop.set_grace_ns(GraceLeft(GraceOf(instance), at.now - instance.intent_since).count());
  }
  changes_.orders.push_back({name, std::move(message)});
}

void Fleet::NoteEvent(InstanceEvent::Type type, const Instance& instance, std::string reason,
                      std::string message) {
  changes_.events.push_back(
      {type, instance.id, instance.revision, std::move(reason), std::move(message)});
}

void Fleet::WakeNoLaterThan(const RevisionKey& key, TimePoint when) {
  const auto [it, added] = wake_of_.try_emplace(key, when);
  if (!added) {
    if (it->second <= when) return;
    wakes_.erase({it->second, key});
    it->second = when;
  }
  wakes_.emplace(when, key);
}

}  // namespace updraft::controller
