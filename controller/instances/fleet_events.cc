// Fleet's events: they keep the record straight and note what is to be looked at, no more.
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

#include "controller/instances/failure.h"
#include "controller/instances/fleet.h"
#include "controller/instances/transition_events.h"

namespace updraft::controller {
namespace {

bool SameInstances(const RevisionSpec& one, const RevisionSpec& other) {
  return one.config_error.has_value() == other.config_error.has_value() &&
         google::protobuf::util::MessageDifferencer::Equals(one.instance, other.instance);
}

}  // namespace

Fleet::Fleet(FleetOptions options, RandomSource random, TimePoint started)
    : options_(std::move(options)),
      random_(std::move(random)),
      instances_(nodes_),
      activators_(started, options_.activator_patience),
      gate_(options_.expected_nodes, options_.restart_patience) {}

void Fleet::SetRevision(std::shared_ptr<const RevisionSpec> spec) {
  const RevisionKey key = spec->key;
  RevisionState& state = revisions_[key];
  // The same name may have been used before: instances of that one are of another revision.
  if (state.spec && state.spec->instance.revision_uid() != spec->instance.revision_uid()) {
    state.desired.reset();
    state.decision.Clear();
    BeginTrial(state);
  } else if (state.trial == Trial::kGivenUp && !SameInstances(*state.spec, *spec)) {
    BeginTrial(state);
  }
  state.spec = std::move(spec);
  state.removed = false;
  dirty_.insert(key);
}

void Fleet::BeginTrial(RevisionState& state) {
  state.trial = Trial::kOn;
  state.last_failure.reset();
  state.start_failures = 0;
  state.start_not_before = TimePoint();
}

void Fleet::RevisionsAreLoaded() {
  revisions_loaded_ = true;
  for (const auto& [key, state] : revisions_) dirty_.insert(key);
}

void Fleet::RemoveRevision(const RevisionKey& key) {
  const auto it = revisions_.find(key);
  if (it == revisions_.end()) return;
  it->second.removed = true;
  dirty_.insert(key);
}

void Fleet::OnDecision(const v1::Decision& decision) {
  const auto it = revisions_.find(decision.revision());
  if (it == revisions_.end() || it->second.removed) return;
  RevisionState& state = it->second;
  // Decided for one that had the name before.
  const bool told = !decision.revision_uid().empty() && state.spec;
  if (told && decision.revision_uid() != state.spec->instance.revision_uid()) return;
  // Whoever asks for one that was given up, after nothing of it was wanted, has it tried again.
  const bool asked = state.desired == 0 && decision.desired() > 0;
  if (asked && state.trial == Trial::kGivenUp) state.trial = Trial::kOn;
  if (decision.desired() >= 0)
    state.desired = std::min(decision.desired(), options_.instances_per_revision_max);
  state.decision = decision;
  state.stamp.set_queued_ns(decision.queued_ns());
  state.stamp.set_decided_ns(decision.decided_ns());
  dirty_.insert(decision.revision());
}

void Fleet::OnNodeHello(uint64_t stream, const v1::NodeHello& hello, Moment at) {
  const auto [it, joined] = nodes_.try_emplace(hello.node());
  Node& node = it->second;
  if (joined) {
    node.joined_wall = at.wall;
    node.health_since_wall = at.wall;
  }
  node.hello = hello;
  node.stream = stream;
  node.inventoried = false;
  node.heard = at.now;
  node.heard_wall = at.wall;
  node.cordoned = cordoned_.contains(hello.node());
  health_changed_ = true;
  changes_.nodes.insert(hello.node());
}

Node* Fleet::Speaking(const NodeName& name, uint64_t stream, Moment at) {
  const auto it = nodes_.find(name);
  if (it == nodes_.end() || it->second.stream != stream) return nullptr;
  it->second.heard = at.now;
  it->second.heard_wall = at.wall;
  health_changed_ = health_changed_ || it->second.health != NodeHealth::kConnected;
  return &it->second;
}

void Fleet::OnInventory(const NodeName& name, uint64_t stream,
                        const v1::InstanceInventory& inventory, Moment at) {
  Node* node = Speaking(name, stream, at);
  if (node == nullptr) return;
  node->inventoried = true;
  health_changed_ = true;
  std::set<InstanceId> held;
  for (const v1::InstanceReport& report : inventory.instances()) {
    held.insert(report.instance_id());
    AdoptOrUpdate(*node, report, at);
  }
  // What it had and has no more is gone. What it never spoke of may not have reached it: it is
  // asked for again, if it is still wanted.
  const std::set<InstanceId> known = node->instances;
  for (const InstanceId& id : known) {
    const Instance& instance = *instances_.Find(id);
    if (!held.contains(id) && (instance.reported || instance.intent != Intent::kRun)) Gone(id);
  }
  owed_desired_.insert(name);
  changes_.nodes.insert(name);
  gate_.OnInventory(name, at.now);
}

void Fleet::AdoptOrUpdate(Node& node, const v1::InstanceReport& report, Moment at) {
  const NodeName& name = node.hello.node();
  Instance* known = instances_.Find(report.instance_id());
  const bool over = report.phase() == v1::INSTANCE_STOPPED || report.phase() == v1::INSTANCE_FAILED;
  if (known == nullptr && over) return;
  if (known == nullptr) known = &Adopt(name, report, at);
  if (known->node != name) return;  // two nodes claim it: the one it was given to is right
  Update(*known, report, at);
}

Instance& Fleet::Adopt(const NodeName& node, const v1::InstanceReport& report, Moment at) {
  const RevisionKey& key = report.revision();
  Instance instance;
  instance.id = report.instance_id();
  instance.revision = key;
  instance.node = node;
  instance.adopted = true;
  instance.created = at.now;
  instance.created_wall = at.wall;
  instance.intent_since = at.now;
  if (report.started_at_ns() > 0) {
    // As old as it is, so that the youngest is still told from the oldest.
    const Nanos age = std::max(Nanos(0), at.wall - FromUnixNanos(report.started_at_ns()));
    instance.created -= age;
    instance.created_wall -= age;
  }
  const auto state = revisions_.find(key);
  if (report.has_spec()) {
    instance.spec = std::make_shared<v1::InstanceSpec>(report.spec());
  } else if (state != revisions_.end() && state->second.spec) {
    instance.spec = std::make_shared<v1::InstanceSpec>(
        MakeInstanceSpec(*state->second.spec, instance.id, report.cold_start()));
  }
  instance.was_ready =
      report.phase() == v1::INSTANCE_READY || report.phase() == v1::INSTANCE_UNREADY;
  if (report.phase() == v1::INSTANCE_STOPPING) instance.intent = Intent::kStop;
  instance.phase = report.phase();
  instance.report = report;
  revisions_.try_emplace(key);  // one that is not in the store is one that is removed
  return instances_.Add(std::move(instance));
}

void Fleet::OnReport(const NodeName& name, uint64_t stream, const v1::InstanceReport& report,
                     Moment at) {
  const Node* node = Speaking(name, stream, at);
  if (node == nullptr || !node->inventoried) return;
  Instance* instance = instances_.Find(report.instance_id());
  const bool over = report.phase() == v1::INSTANCE_STOPPED || report.phase() == v1::INSTANCE_FAILED;
  if (instance == nullptr) {
    if (!over) AdoptOrUpdate(nodes_.at(name), report, at);
    return;
  }
  if (instance->node != name) return;
  if (report.sequence() != 0 && report.sequence() < instance->report.sequence()) return;
  Update(*instance, report, at);
}

void Fleet::Update(Instance& instance, const v1::InstanceReport& report, Moment at) {
  for (InstanceEvent& event : EventsOfTransition(instance, report))
    changes_.events.push_back(std::move(event));
  Touch(instance);
  v1::InstanceReport kept = report;
  kept.clear_spec();  // ours is the same, and shared
  instance.report = std::move(kept);
  instance.reported = true;
  instance.cold_start.MergeFrom(report.cold_start());
  instance.phase = report.phase();
  instance.crash_loops = instance.phase != v1::INSTANCE_READY &&
                         (instance.crash_loops || CrashLoops(instance.report));
  RevisionState& state = revisions_[instance.revision];
  NoteFailure(instance, state);
  switch (report.phase()) {
    case v1::INSTANCE_READY:
      if (!instance.was_ready) changes_.started.push_back(instance.cold_start);
      instance.was_ready = true;
      state.last_failure.reset();
      state.start_failures = 0;
      state.start_not_before = TimePoint();
      break;
    case v1::INSTANCE_STOPPED:
      Gone(instance.id);
      break;
    case v1::INSTANCE_FAILED:
      if (instance.intent != Intent::kRun) {
        Gone(instance.id);
        break;
      }
      instances_.Release(instance);
      dirty_.insert(waiting_for_room_.begin(), waiting_for_room_.end());
      ++state.start_failures;
      state.start_not_before = at.now + BackoffDelay(options_.start_backoff, state.start_failures,
                                                     static_cast<double>(random_() % 1024) / 1024);
      break;
    default:
      break;
  }
}

void Fleet::NoteFailure(const Instance& instance, RevisionState& state) {
  if (instance.intent != Intent::kRun) return;
  // A container of one that was ready is started again at once. Only when that does not go well has
  // the revision failed, which is given up for it.
  const bool comes_back = instance.was_ready && instance.phase != v1::INSTANCE_BACKOFF &&
                          instance.phase != v1::INSTANCE_FAILED;
  const std::string& reason = instance.report.failure().reason();
  if ((comes_back && (reason.empty() || reason == kUnhealthy)) || reason == kEvicted) return;
  if (auto failure = FailureOfReport(instance.report)) state.last_failure = std::move(failure);
}

void Fleet::Gone(const InstanceId& id) {
  const Instance* instance = instances_.Find(id);
  Touch(*instance);
  dirty_.insert(waiting_for_room_.begin(), waiting_for_room_.end());
  instances_.Erase(id);
}

void Fleet::Touch(const Instance& instance) {
  dirty_.insert(instance.revision);
  changes_.instances.insert(instance.id);
}

void Fleet::OnNodeStatus(const NodeName& name, uint64_t stream, const v1::NodeStatus& status,
                         Moment at) {
  Node* node = Speaking(name, stream, at);
  if (node == nullptr) return;
  node->status = status;
  changes_.nodes.insert(name);
  dirty_.insert(waiting_for_room_.begin(), waiting_for_room_.end());
}

void Fleet::OnUsage(const NodeName& name, uint64_t stream, const v1::UsageReport& report,
                    Moment at) {
  if (Speaking(name, stream, at) == nullptr) return;
  for (const v1::UsageReading& reading : report.readings()) {
    Instance* instance = instances_.Find(reading.instance_id());
    if (instance == nullptr || instance->node != name) continue;
    UsageMeter& meter = instance->usage;
    const int64_t span = reading.at_ns() - meter.at_ns;
    const int64_t used = reading.cpu_ns() - meter.cpu_ns;
    // A container that was started anew counts from 0 again: there is no average until the next
    // one.
    meter.cpu_millis.reset();
    if (meter.at_ns > 0 && span > 0 && used >= 0) meter.cpu_millis = used * 1000 / span;
    meter.cpu_ns = reading.cpu_ns();
    meter.at_ns = reading.at_ns();
    meter.memory_bytes = reading.memory_bytes();
    dirty_.insert(instance->revision);
  }
}

void Fleet::OnNodeGone(const NodeName& name, uint64_t stream, Moment at) {
  Node* node = Speaking(name, stream, at);  // its grace begins now
  if (node == nullptr) return;
  node->stream = 0;
  node->inventoried = false;
  health_changed_ = true;
  owed_desired_.erase(name);
  changes_.nodes.insert(name);
}

void Fleet::SetScheduling(const NodeName& name, Scheduling scheduling) {
  const bool cordoned = scheduling == Scheduling::kCordoned;
  if (cordoned) cordoned_.insert(name);
  if (!cordoned) cordoned_.erase(name);
  const auto it = nodes_.find(name);
  if (it == nodes_.end() || it->second.cordoned == cordoned) return;
  it->second.cordoned = cordoned;
  changes_.nodes.insert(name);
  dirty_.insert(waiting_for_room_.begin(), waiting_for_room_.end());
}

void Fleet::ForgetNode(const NodeName& name) {
  gate_.Forget(name);
  cordoned_.erase(name);
  const auto it = nodes_.find(name);
  if (it == nodes_.end() || it->second.stream != 0) return;
  const std::set<InstanceId> held = it->second.instances;
  for (const InstanceId& id : held) Gone(id);
  nodes_.erase(it);
  health_changed_ = true;
  changes_.nodes.insert(name);
}

bool Fleet::Evict(const InstanceId& id) {
  Instance* instance = instances_.Find(id);
  if (instance == nullptr) return false;
  instance->evicted = true;
  dirty_.insert(instance->revision);
  return true;
}

void Fleet::OnActivator(const ActivatorId& id) {
  activators_.OnConnected(id);
  dirty_.insert(draining_.begin(), draining_.end());
}

void Fleet::OnActivatorGone(const ActivatorId& id, TimePoint now) {
  activators_.OnDisconnected(id, now);
  for (const auto& [instance, record] : instances_.all())
    instances_.Find(instance)->in_flight.erase(id);
  activators_.ForgetDead(now);
  dirty_.insert(draining_.begin(), draining_.end());
}

void Fleet::OnLoads(const ActivatorId& activator, const v1::InstanceLoads& loads) {
  for (const v1::InstanceLoad& load : loads.loads()) {
    Instance* instance = instances_.Find(load.instance_id());
    if (instance == nullptr) continue;
    if (load.in_flight() == 0) instance->in_flight.erase(activator);
    if (load.in_flight() > 0) instance->in_flight[activator] = load.in_flight();
  }
}

void Fleet::OnDrained(const ActivatorId& activator, const InstanceId& id) {
  Instance* instance = instances_.Find(id);
  if (instance == nullptr) return;
  instance->drained_by.insert(activator);
  dirty_.insert(instance->revision);
}

}  // namespace updraft::controller
