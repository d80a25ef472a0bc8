#include "node-agent/instance/instance_host.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "node-agent/instance/run_record.h"

namespace updraft::node_agent {
namespace {

std::map<std::string, TaskState> ById(const std::vector<TaskState>& tasks) {
  std::map<std::string, TaskState> by_id;
  for (const TaskState& task : tasks) by_id[task.container_id] = task;
  return by_id;
}

}  // namespace

InstanceHost::InstanceHost(const InstanceTools& tools, InstanceHostCallbacks callbacks)
    : tools_(tools), callbacks_(std::move(callbacks)) {}

InstanceHost::~InstanceHost() { *alive_ = false; }

void InstanceHost::Open() { tools_.run.runtime.Observe(this); }

Status InstanceHost::runtime_status() const {
  if (connected_) return Ok();
  return lost_why_;
}

// ---- what the controller wants

void InstanceHost::Start(const v1::InstanceSpec& spec) {
  UPDRAFT_CHECK(ready_);
  if (instances_.contains(spec.instance_id())) return;
  if (stopping_all_) return Refuse(spec, "NodeShutdown", "the node is being shut down");
  if (Status checked = InstanceMachine::Check(spec); !checked) {
    return Refuse(spec, "CreateContainerConfigError", checked.error().message);
  }
  Add(std::make_shared<v1::InstanceSpec>(spec)).Begin();
}

LiveInstance& InstanceHost::Add(std::shared_ptr<const v1::InstanceSpec> spec) {
  auto instance = std::make_unique<LiveInstance>(tools_, spec, *this);
  LiveInstance& added = *instance;
  by_container_prefix_[ContainerPrefixOf(spec->instance_id())] = &added;
  instances_.emplace(spec->instance_id(), std::move(instance));
  return added;
}

void InstanceHost::Stop(const std::string& instance_id, Nanos grace) {
  const auto it = instances_.find(instance_id);
  if (it == instances_.end()) {
    v1::InstanceReport report;
    report.set_instance_id(instance_id);
    report.set_phase(v1::INSTANCE_STOPPED);
    return callbacks_.report(report);
  }
  const Nanos own = Nanos(it->second->machine().spec().termination_grace_ns());
  it->second->Stop(grace > Nanos(0) ? grace : own);
}

void InstanceHost::Evict(const std::string& instance_id, const std::string& message) {
  const auto it = instances_.find(instance_id);
  if (it == instances_.end()) return;
  Log(Level::kWarn, "instance_evicted", {{"instance", instance_id}, {"why", message}});
  it->second->Evict(message);
}

void InstanceHost::StopAll(Nanos grace, std::function<void(int)> done) {
  stopping_all_ = true;
  stop_all_done_.push_back(std::move(done));
  std::vector<std::string> ids;
  for (const auto& [id, instance] : instances_) ids.push_back(id);
  for (const std::string& id : ids) Stop(id, grace);
  FinishStopAll();
}

void InstanceHost::FinishStopAll() {
  if (!stopping_all_ || !instances_.empty()) return;
  for (const auto& done : std::exchange(stop_all_done_, {})) done(stopped_);
}

void InstanceHost::Refuse(const v1::InstanceSpec& spec, const std::string& reason, const std::string& message) {
  v1::InstanceReport report;
  report.set_instance_id(spec.instance_id());
  report.set_phase(v1::INSTANCE_FAILED);
  report.set_revision(spec.namespace_() + "/" + spec.revision());
  report.mutable_failure()->set_reason(reason);
  report.mutable_failure()->set_message(message);
  callbacks_.report(report);
}

v1::InstanceInventory InstanceHost::Inventory() const {
  v1::InstanceInventory inventory;
  for (const auto& [id, instance] : instances_) {
    v1::InstanceReport& report = *inventory.add_instances();
    report = instance->machine().report();
    *report.mutable_spec() = instance->machine().spec();
  }
  return inventory;
}

v1::UsageReport InstanceHost::Usage(TimePoint now) const {
  v1::UsageReport report;
  for (const auto& [id, instance] : instances_) {
    if (!instance->machine().spec().report_usage()) continue;
    const auto usage = instance->Usage();
    if (!usage) continue;
    v1::UsageReading& reading = *report.add_readings();
    reading.set_instance_id(id);
    reading.set_cpu_ns(usage->cpu_ns);
    reading.set_memory_bytes(usage->memory_bytes);
    reading.set_at_ns(now.time_since_epoch().count());
  }
  return report;
}

const InstanceMachine* InstanceHost::Find(const std::string& instance_id) const {
  const auto it = instances_.find(instance_id);
  return it == instances_.end() ? nullptr : &it->second->machine();
}

std::map<v1::InstancePhase, int> InstanceHost::CountByPhase() const {
  std::map<v1::InstancePhase, int> counts;
  for (const auto& [id, instance] : instances_) ++counts[instance->machine().phase()];
  return counts;
}

bool InstanceHost::UsesClaim(const std::string& directory) const {
  return std::ranges::any_of(instances_, [&directory](const auto& entry) {
    return std::ranges::any_of(entry.second->machine().spec().claims(),
                               [&directory](const v1::ClaimVolume& claim) { return claim.directory() == directory; });
  });
}

std::vector<LimitedDirectory> InstanceHost::LimitedDirectories() const {
  std::vector<LimitedDirectory> directories;
  for (const auto& [id, instance] : instances_) {
    if (instance->machine().stopping()) continue;
    std::ranges::move(tools_.files.LimitedDirectories(instance->machine().spec()), std::back_inserter(directories));
  }
  return directories;
}

// ---- what instances tell

void InstanceHost::OnReport(const v1::InstanceReport& report) { callbacks_.report(report); }

void InstanceHost::OnOver(const std::string& instance_id) {
  tools_.run.loop.Post([this, alive = alive_, instance_id] {
    if (!*alive) return;
    by_container_prefix_.erase(ContainerPrefixOf(instance_id));
    instances_.erase(instance_id);
    ++stopped_;
    if (callbacks_.instance_over) callbacks_.instance_over();
    FinishStopAll();
  });
}

// ---- what the runtime tells

void InstanceHost::OnRuntimeConnected(RuntimeContents contents) {
  connected_ = true;
  Log(Level::kInfo, "runtime_connected", {{"containers", contents.containers.size()}, {"tasks", contents.tasks.size()}});
  if (ready_) {
    Compare(contents);
  } else {
    AdoptAll(contents);
    ready_ = true;
    callbacks_.ready();
  }
  if (callbacks_.runtime_connected) callbacks_.runtime_connected();
}

void InstanceHost::OnRuntimeLost(const Error& why) {
  if (std::exchange(connected_, false)) Log(Level::kError, "runtime_lost", {{"error", why.message}});
  lost_why_ = why;
}

void InstanceHost::AdoptAll(const RuntimeContents& contents) {
  const AdoptionPlan plan = PlanAdoption(contents);
  std::map<std::string, const ContainerRecord*> records;
  for (const ContainerRecord& record : contents.containers) records[record.id] = &record;

  std::vector<LiveInstance*> adopted;
  for (const AdoptableInstance& known : plan.instances) {
    const std::string& id = known.spec->instance_id();
    std::map<int, const ContainerRecord*> by_place;
    for (const AdoptedContainer& container : known.containers) {
      by_place[container.container] = records.at(ContainerIdOf(id, {container.container, container.run}));
    }
    const Result<InstanceNetwork> network = tools_.networks.Adopt(id);
    if (!network) {
      Log(Level::kWarn, "instance_not_adopted", {{"instance", id}, {"error", network.error().message}});
      for (const auto& [place, record] : by_place) RemoveLeftOver(record->id);
      continue;
    }
    LiveInstance& instance = Add(known.spec);
    instance.Adopt(known.containers, by_place, *network);
    adopted.push_back(&instance);
  }
  for (const std::string& id : plan.remove_containers) RemoveLeftOver(id);
  for (const std::string& key : plan.remove_snapshots) {
    tools_.run.runtime.RemoveSnapshot(key, [](const Status&) {});
  }
  tools_.networks.AdoptionIsOver();
  tools_.run.logs.AdoptionIsOver();
  tools_.files.RemoveOthers([this](const std::string& id) { return instances_.contains(id); });
  Log(Level::kInfo, "instances_adopted",
      {{"instances", adopted.size()}, {"containers_removed", plan.remove_containers.size()}});
  for (LiveInstance* instance : adopted) instance->Begin();
  // What ended while nobody looked has ended like anything else.
  const std::map<std::string, TaskState> tasks = ById(contents.tasks);
  for (LiveInstance* instance : adopted) instance->CompareWith(tasks);
}

void InstanceHost::Compare(const RuntimeContents& contents) {
  const std::map<std::string, TaskState> tasks = ById(contents.tasks);
  for (const auto& [id, instance] : instances_) instance->CompareWith(tasks);
  // What was made by calls whose answers we never got, and that nobody looks after any more.
  for (const ContainerRecord& record : contents.containers) {
    const LiveInstance* owner = Owner(record.id);
    if (owner == nullptr || !owner->Holds(record.id)) RemoveLeftOver(record.id);
  }
}

void InstanceHost::RemoveLeftOver(const std::string& container_id) {
  ContainerRuntime& runtime = tools_.run.runtime;
  runtime.RemoveTask(container_id, [&runtime, container_id](const Result<std::optional<TaskExit>>& removed) {
    if (!removed) {
      Log(Level::kWarn, "left_over_task", {{"container", container_id}, {"error", removed.error().message}});
    }
    runtime.RemoveSnapshot(container_id, [&runtime, container_id](const Status&) {
      runtime.RemoveContainer(container_id, [](const Status&) {});
    });
  });
}

LiveInstance* InstanceHost::Owner(const std::string& container_id) {
  const auto it = by_container_prefix_.find(PrefixOfContainer(container_id));
  return it == by_container_prefix_.end() ? nullptr : it->second;
}

void InstanceHost::OnTaskExit(const TaskExit& exit) {
  if (callbacks_.task_exit) callbacks_.task_exit(exit);
  if (!exit.exec_id.empty()) return tools_.run.execs.OnExit(exit);
  if (LiveInstance* owner = Owner(exit.container_id)) owner->OnTaskExit(exit);
}

void InstanceHost::OnTaskOutOfMemory(const std::string& container_id) {
  if (LiveInstance* owner = Owner(container_id)) owner->OnOutOfMemory(container_id);
}

}  // namespace updraft::node_agent
