#include "node-agent/instance/run_record.h"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>

namespace updraft::node_agent {
namespace {

constexpr char kInstance[] = "updraft.dev/instance";
constexpr char kRevision[] = "updraft.dev/revision";
constexpr char kContainer[] = "updraft.dev/container";
constexpr char kPlace[] = "updraft.dev/place";
constexpr char kRun[] = "updraft.dev/run";
constexpr char kRestarts[] = "updraft.dev/restarts";
constexpr char kStopSignal[] = "updraft.dev/stop-signal";
constexpr char kSpec[] = "updraft.dev/spec";
constexpr char kLastTermination[] = "updraft.dev/last-termination";

// FNV-1a.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

std::optional<int> ReadNumber(const ContainerRecord& record, const char* label) {
  const auto it = record.labels.find(label);
  if (it == record.labels.end()) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  return number;
}

struct ReadRecord {
  const ContainerRecord* record = nullptr;
  std::shared_ptr<const v1::InstanceSpec> spec;
  AdoptedContainer container;
};

std::optional<ReadRecord> Read(const ContainerRecord& record) {
  const auto instance = record.labels.find(kInstance);
  const auto bytes = record.extensions.find(kSpec);
  const auto place = ReadNumber(record, kPlace);
  const auto run = ReadNumber(record, kRun);
  if (instance == record.labels.end() || bytes == record.extensions.end() || !place || !run) return std::nullopt;
  auto spec = std::make_shared<v1::InstanceSpec>();
  if (!spec->ParseFromString(bytes->second) || spec->instance_id() != instance->second) return std::nullopt;
  if (!InstanceMachine::Check(*spec)) return std::nullopt;
  if (*place >= spec->init_containers_size() + spec->containers_size()) return std::nullopt;
  ReadRecord read{.record = &record, .spec = std::move(spec), .container = {}};
  read.container.container = *place;
  read.container.run = *run;
  read.container.restarts = ReadNumber(record, kRestarts).value_or(0);
  read.container.was_ready = record.labels.contains(kReadyLabel);
  read.container.started = record.created_at;
  if (const auto last = record.extensions.find(kLastTermination); last != record.extensions.end()) {
    v1::Termination termination;
    if (termination.ParseFromString(last->second)) read.container.last_termination = std::move(termination);
  }
  return read;
}

// One that has ended counts as running, no longer ready: its end is told right after, with its exit code.
void SetTask(AdoptedContainer& container, const TaskState* task) {
  const bool ended = task != nullptr && task->status == TaskStatus::kStopped;
  container.running = task != nullptr && task->status != TaskStatus::kCreated;
  if (ended) container.was_ready = false;
}

}  // namespace

std::string ContainerPrefixOf(const std::string& instance_id) {
  // containerd takes one separator at a time, and 76 characters.
  if (instance_id.find("--") == std::string::npos && instance_id.size() <= 63) return instance_id;
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(Hash(instance_id)));
  return "i" + std::string(hash);
}

std::string PrefixOfContainer(const std::string& container_id) { return container_id.substr(0, container_id.rfind('.')); }

std::string ContainerIdOf(const std::string& instance_id, const RunId& run) {
  return ContainerPrefixOf(instance_id) + "." + std::to_string(run.container) + "-" + std::to_string(run.run);
}

ContainerRecord RecordOf(const InstanceMachine& machine, const RunId& run, int stop_signal) {
  const v1::InstanceSpec& spec = machine.spec();
  ContainerRecord record;
  record.id = ContainerIdOf(spec.instance_id(), run);
  record.image = machine.container(run.container).image();
  record.snapshot_key = record.id;
  record.labels = {
      {kInstance, spec.instance_id()},
      {kRevision, spec.namespace_() + "/" + spec.revision()},
      {kContainer, machine.container(run.container).name()},
      {kPlace, std::to_string(run.container)},
      {kRun, std::to_string(run.run)},
      {kRestarts, std::to_string(machine.restarts(run.container))},
      {kStopSignal, std::to_string(stop_signal)},
  };
  record.extensions[kSpec] = spec.SerializeAsString();
  if (const auto& last = machine.last_termination(run.container)) {
    record.extensions[kLastTermination] = last->SerializeAsString();
  }
  return record;
}

int StopSignalOf(const ContainerRecord& record) { return ReadNumber(record, kStopSignal).value_or(SIGTERM); }

AdoptionPlan PlanAdoption(const RuntimeContents& contents) {
  AdoptionPlan plan;
  std::map<std::string, const TaskState*> tasks;
  for (const TaskState& task : contents.tasks) tasks[task.container_id] = &task;

  std::map<std::pair<std::string, int>, ReadRecord> latest;
  std::set<std::string> known;
  for (const ContainerRecord& record : contents.containers) {
    known.insert(record.id);
    std::optional<ReadRecord> read = Read(record);
    if (!read) {
      plan.remove_containers.push_back(record.id);
      continue;
    }
    const auto [it, added] = latest.try_emplace({read->spec->instance_id(), read->container.container}, *read);
    if (added) continue;
    if (it->second.container.run < read->container.run) std::swap(it->second, *read);
    plan.remove_containers.push_back(read->record->id);
  }
  for (auto& [key, read] : latest) {
    const auto task = tasks.find(read.record->id);
    SetTask(read.container, task == tasks.end() ? nullptr : task->second);
    if (plan.instances.empty() || plan.instances.back().spec->instance_id() != key.first) {
      plan.instances.push_back({.spec = read.spec, .containers = {}});
    }
    plan.instances.back().containers.push_back(std::move(read.container));
  }
  for (const std::string& snapshot : contents.snapshots) {
    if (!known.contains(snapshot)) plan.remove_snapshots.push_back(snapshot);
  }
  return plan;
}

}  // namespace updraft::node_agent
