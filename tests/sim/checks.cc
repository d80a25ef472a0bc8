// What must always hold, and what must be so once the storm is over.
#include <algorithm>
#include <utility>

#include "controller/instances/fleet_views.h"
#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/route_table.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "tests/sim/world.h"

namespace updraft::sim {
namespace {

// For a container or an instance to be looked after by someone again.
constexpr Nanos kAdoptionGrace = std::chrono::seconds(30);

// Sweeps in which requests wait at one activator while another has slots that it does not use: each time others, or they
// do not go where they are needed.
constexpr int kSlotSweepsMax = 8;

constexpr char kMinScale[] = "autoscaling.knative.dev/min-scale";
constexpr char kMaxScale[] = "autoscaling.knative.dev/max-scale";

std::string VersionOf(const Json& service) {
  const Json& containers = api::ArrayAt(service, {"spec", "template", "spec", "containers"});
  if (containers.empty()) return "none";
  for (const Json& variable : api::ArrayAt(containers.front(), {"env"})) {
    if (api::StringAt(variable, {"name"}) == "VERSION") return api::StringAt(variable, {"value"});
  }
  return "none";
}

bool MustFail(const Wish& wish) { return wish.image == "crash" || wish.image == "missing"; }

}  // namespace

void World::Violation(const std::string& what) {
  Trace("VIOLATION " + what);
  char at[32];
  std::snprintf(at, sizeof at, "at %.6f s: ", Seconds());
  violations_.push_back(at + what);
}

// ---- always

Backends::Way World::Reach(uint32_t, const std::string& ip) {
  SimNode* node = NodeOf(ip);
  if (node == nullptr || !node->on() || node->isolated()) return {.reached = Reached::kSilence};
  Program* program = node->Listening(ip);
  if (program == nullptr) return {.reached = Reached::kRefused};
  return {.reached = Reached::kProgram, .program = program};
}

bool World::Answers(uint32_t, const std::string& ip) {
  const SimNode* node = NodeOf(ip);
  return node != nullptr && node->on() && !node->isolated();
}

SimNode* World::NodeOf(const std::string& ip) {
  unsigned high = 0;
  unsigned low = 0;
  if (std::sscanf(ip.c_str(), "10.%u.%u.", &high, &low) != 2) return nullptr;
  const size_t number = size_t{high} * 200 + low;
  return number < nodes_.size() ? nodes_[number].get() : nullptr;
}

void World::OnEnd(const Seen& seen) {
  const std::string what = "request " + std::to_string(seen.asked.number) + " to " + seen.asked.host;
  if (open_requests_.erase(seen.asked.number) == 0) Violation(what + " ended twice");
  ++outcomes_[seen.outcome];
  digest_ = (digest_ ^ seen.asked.number ^ static_cast<uint64_t>(seen.took.count()) ^
             static_cast<uint64_t>(time_.now().time_since_epoch().count())) *
            0x100000001b3U;
  const bool silent = seen.outcome != Outcome::kAnswered && seen.outcome != Outcome::kLeft && seen.why.empty();
  if (silent) Violation(what + " failed without a reason");
  if (seen.outcome == Outcome::kAnswered && seen.executions != 1) {
    Violation(what + " was answered after " + std::to_string(seen.executions) + " executions");
  }
  if (!strict_ || seen.outcome == Outcome::kLeft || seen.outcome == Outcome::kAnswered) return;
  const Service& service = services_.at(seen.asked.host.substr(0, seen.asked.host.find('.')));
  const bool expected = !service.acknowledged || MustFail(*service.acknowledged);
  if (!expected) {
    Violation(what + " (" + seen.revision + ") " + NameOf(seen.outcome) + " though all is calm: " + seen.why);
  }
}

// No instance is started for a revision of which as many run as its max-scale allows. Instances that are told
// to go and those of lost nodes, which the new one replaces, do not count.
void World::CheckMaxScale(const controller::Fleet& fleet, const controller::FleetChanges& changes) {
  for (const controller::RevisionKey& key : changes.revisions) {
    const auto state = fleet.revisions().find(key);
    if (state == fleet.revisions().end() || !state->second.spec) continue;
    const auto most = state->second.spec->scaling_annotations.find(kMaxScale);
    if (most == state->second.spec->scaling_annotations.end()) continue;
    int running = 0;
    bool started = false;
    for (const controller::Instance* instance : fleet.instances().OfRevision(key)) {
      if (instance->intent != controller::Intent::kRun || instance->lost) continue;
      if (instance->phase == v1::INSTANCE_FAILED) continue;
      ++running;
      started = seen_instances_.insert(instance->id).second || started;
    }
    if (started && running > std::atoi(most->second.c_str())) {
      Violation("an instance of " + key + " is started, the " + std::to_string(running) + ". of at most " +
                most->second);
    }
  }
}

void World::Sweep() {
  for (const auto& activator : activators_) {
    const Asked* overdue = activator ? activator->Overdue(time_.now()) : nullptr;
    if (overdue != nullptr) {
      Violation("request " + std::to_string(overdue->number) + " to " + overdue->host + " is past its deadline");
    }
  }
  CheckSlots();
  if (++sweeps_ % 4 != 0) return;
  if (nodes_.size() <= 100 || sweeps_ % 40 == 0) CheckOwners();
  CheckAcknowledged();
}

void World::CheckSlots() {
  if (!strict_) return;
  if (std::ranges::all_of(activators_, [](const auto& activator) { return activator->requests() == 0; })) {
    slots_unused_.clear();
    return;
  }
  std::map<std::string, std::vector<SimActivator::SlotFigures>> figures;
  for (const auto& activator : activators_) activator->AddSlots(figures);
  std::set<std::string> unused;
  for (const auto& [revision, of] : figures) {
    const bool waits = std::ranges::any_of(of, [](const auto& one) { return one.waiting > 0 && !one.ejected; });
    const bool idle = std::ranges::any_of(of, [](const auto& one) { return one.waiting == 0 && one.idle > 0; });
    if (!waits || !idle) continue;
    unused.insert(revision);
    if (++slots_unused_[revision] < kSlotSweepsMax) continue;
    std::string what = "requests wait for " + revision + " though there are slots:";
    for (const auto& one : of) what += " " + one.text + ";";
    Violation(what);
  }
  std::erase_if(slots_unused_, [&unused](const auto& entry) { return !unused.contains(entry.first); });
}

void World::CheckOwners() {
  std::set<std::string> unowned;
  const SimController* leader = Leader();
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const SimNode& node = *nodes_[i];
    if (!node.agent_ready()) continue;
    for (const auto& [id, container] : node.containers()) {
      if (!node.HasInstance(container->instance)) unowned.insert("container " + id + " on " + node.name());
    }
    const bool heard = leader != nullptr && node_wires_[i]->connected() && leader->node_connected(node.name()) &&
                       leader->fleet().known(leader->Now().now);
    if (!heard) continue;
    for (const std::string& id : node.Instances()) {
      if (leader->fleet().instances().Find(id) == nullptr) unowned.insert("instance " + id + " on " + node.name());
    }
  }
  std::erase_if(unowned_since_, [&](const auto& entry) { return !unowned.contains(entry.first); });
  for (const std::string& what : unowned) {
    const auto [it, added] = unowned_since_.try_emplace(what, time_.now());
    if (!added && time_.now() - it->second > kAdoptionGrace) {
      Violation(what + " has had no owner for longer than the adoption grace");
      it->second = time_.now();
    }
  }
}

void World::CheckAcknowledged() {
  const SimController* leader = Leader();
  if (leader == nullptr) return;
  // When there are many, some at each time.
  auto it = services_.upper_bound(last_checked_);
  for (size_t i = 0; i < std::min<size_t>(services_.size(), 64); ++i, ++it) {
    if (it == services_.end()) it = services_.begin();
    auto& [name, service] = *it;
    last_checked_ = name;
    const auto stored = leader->objects().Get({controller::resource::kServices, "default", name});
    const bool there = stored && !api::IsBeingDeleted(*stored->object);
    const std::string version = there ? VersionOf(*stored->object) : "none";
    const std::string acknowledged = service.acknowledged ? std::to_string(service.acknowledged->version) : "none";
    if (service.asked || service.deleting) {
      if (!service.uncertain) continue;
      // The controller died over a write: it is done as a whole or not at all.
      const std::string asked = service.asked ? std::to_string(service.asked->version) : "none";
      if (version == asked) service.acknowledged = service.asked;
      if (version != asked && version != acknowledged) {
        Violation(name + " is at version " + version + ", acknowledged was " + acknowledged + ", asked " + asked);
      }
      service.asked.reset();
      service.deleting = service.uncertain = false;
      continue;
    }
    if (version != acknowledged) {
      Violation(name + " is at version " + version + ", acknowledged was " + acknowledged);
      service.acknowledged.reset();
    }
  }
}

// ---- after the storm

// What failed for good in the storm is mended as users do it: with a new revision. Where there are few, all get one.
void World::Mend() {
  for (auto& [name, service] : services_) {
    if (!service.acknowledged) continue;
    const auto stored = Leader()->objects().Get({controller::resource::kServices, "default", name});
    const auto ready = stored ? api::ConditionOf(*stored->object, "Ready") : std::nullopt;
    if (services_.size() > 100 && ready && ready->IsTrue()) continue;
    Wish wish = *service.acknowledged;
    wish.version = static_cast<int>(++versions_);
    Apply(name, wish);
  }
}

void World::Settle() {
  // Back-offs of crashes are five minutes at most, and lost nodes are replaced within two.
  RunFor(std::chrono::minutes(2));
  if (Leader() == nullptr) return Violation("nobody leads");
  Mend();
  RunFor(std::chrono::minutes(6));
  if (Leader() == nullptr) return Violation("nobody leads any more");
  if (violations_.empty()) CheckServices();
  Trace("---- strict");
  strict_ = true;
  ScheduleTraffic();
  RunFor(std::chrono::minutes(3));
  traffic_ = false;
  RunFor(std::chrono::minutes(7));
  if (Leader() == nullptr) Violation("nobody leads at rest");
  if (!violations_.empty()) return;
  Trace("---- at rest");
  CheckServices();
  CheckRoutes();
  CheckCounts();
  CheckQuiet();
}

void World::CheckServices() {
  for (const auto& [name, service] : services_) {
    const auto stored = Leader()->objects().Get({controller::resource::kServices, "default", name});
    if (!service.acknowledged) {
      if (stored) Violation(name + " was deleted and is still there");
      continue;
    }
    const auto ready = stored ? api::ConditionOf(*stored->object, "Ready") : std::nullopt;
    const std::string status = !ready ? "absent" : ready->IsTrue() ? "True" : ready->IsFalse() ? "False" : "Unknown";
    const bool fails = MustFail(*service.acknowledged);
    if (status != (fails ? "False" : "True")) {
      Violation(name + " (" + service.acknowledged->image + ") has Ready=" + status +
                (ready ? " " + ready->reason + " " + ready->message : ""));
    }
  }
}

void World::CheckRoutes() {
  size_t hosts = 0;
  for (const auto& route : Leader()->objects().List(controller::resource::kRoutes, "").objects) {
    const v1::Route built = controller::BuildRoute(*route, {});
    hosts += static_cast<size_t>(built.hosts_size());
    for (const v1::HostRule& rule : built.hosts()) {
      for (size_t i = 0; i < activators_.size(); ++i) {
        const activator::HostRule* found = activators_[i]->table().Find(rule.host());
        const std::string where = rule.host() + " in activator " + std::to_string(i);
        if (found == nullptr) {
          Violation(where + " is not routed");
        } else if (found->splits.size() != 1 || found->splits[0].revision->key() != rule.splits(0).revision()) {
          Violation(where + " is not routed to " + rule.splits(0).revision());
        }
      }
    }
  }
  for (size_t i = 0; i < activators_.size(); ++i) {
    const activator::RouteTable& table = activators_[i]->table();
    if (table.host_count() != hosts) {
      Violation("activator " + std::to_string(i) + " routes " + std::to_string(table.host_count()) + " hosts of " +
                std::to_string(hosts));
    }
    if (table.revision_count() != Leader()->fleet().revisions().size()) {
      Violation("activator " + std::to_string(i) + " knows " + std::to_string(table.revision_count()) +
                " revisions of " + std::to_string(Leader()->fleet().revisions().size()));
    }
    if (activators_[i]->requests() != 0 || activators_[i]->waiting() != 0) {
      Violation("activator " + std::to_string(i) + " still has requests");
    }
  }
  if (!open_requests_.empty()) Violation("a request was lost: " + std::to_string(*open_requests_.begin()));
}

void World::CheckCounts() {
  std::map<std::string, int> wanted;  // by revision: those that routes lead to
  for (const auto& route : Leader()->objects().List(controller::resource::kRoutes, "").objects) {
    const v1::Route built = controller::BuildRoute(*route, {});
    for (const v1::HostRule& rule : built.hosts()) {
      for (const v1::Split& split : rule.splits()) {
        const controller::RevisionSpec& spec = *Leader()->fleet().revisions().at(split.revision()).spec;
        const auto least = spec.scaling_annotations.find(kMinScale);
        const bool none = spec.broken || least == spec.scaling_annotations.end();
        wanted[split.revision()] = none ? 0 : std::atoi(least->second.c_str());
      }
    }
  }
  std::map<std::string, int> running;
  for (const auto& node : nodes_) {
    for (const auto& [id, container] : node->containers()) {
      if (container->state == SimContainer::State::kRunning) ++running[container->program.revision];
    }
  }
  const controller::Fleet& fleet = Leader()->fleet();
  for (const auto& [key, state] : fleet.revisions()) {
    const int want = wanted.contains(key) ? wanted[key] : 0;
    const controller::InstanceCounts counts = controller::CountsOf(fleet, key);
    const std::string text = key + ": " + std::to_string(want) + " wanted, desired " +
                             std::to_string(state.desired.value_or(-1)) + ", ready " + std::to_string(counts.ready) +
                             ", of " + std::to_string(counts.total) + ", running " + std::to_string(running[key]);
    Trace(text);
    const bool right =
        state.desired.value_or(0) == want && counts.ready == want && counts.total == want && running[key] == want;
    if (!right) Violation(text);
    for (size_t i = 0; i < activators_.size(); ++i) {
      const size_t open = activators_[i]->OpenInstances(key);
      if (open != static_cast<size_t>(want)) {
        Violation("activator " + std::to_string(i) + " has " + std::to_string(open) + " instances of " + text);
      }
    }
  }
  for (const auto& [key, count] : running) {
    if (count > 0 && !fleet.revisions().contains(key)) Violation("instances of " + key + " run, which is not there");
  }
}

void World::CheckQuiet() {
  const SimController* leader = Leader();
  const uint64_t before = leader->activity();
  RunFor(std::chrono::minutes(12));
  if (Leader() != leader) return Violation("the lead changes though all is calm");
  if (leader->activity() != before) {
    Violation("something still happens: " + std::to_string(leader->activity() - before) +
              " writes, orders, decisions or updates");
  }
}

}  // namespace updraft::sim
