// What is written to containerd beside a container, so that an agent that comes back knows what it is; and
// the reading of it. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node-agent/containerd/container_runtime.h"
#include "node-agent/instance/instance_events.h"
#include "node-agent/instance/instance_machine.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

inline constexpr char kReadyLabel[] = "updraft.dev/ready";

// The name in containerd, also the snapshot's key and the cgroup: unique among all runs, at most 76 characters.
std::string ContainerIdOf(const std::string& instance_id, const RunId& run);

// What the names of all runs of an instance begin with, up to the last dot; and that part of such a name.
std::string ContainerPrefixOf(const std::string& instance_id);
std::string PrefixOfContainer(const std::string& container_id);

// A record with id, labels and extensions; the OCI spec and the snapshot are the caller's.
ContainerRecord RecordOf(const InstanceMachine& machine, const RunId& run, int stop_signal);
int StopSignalOf(const ContainerRecord& record);

struct AdoptableInstance {
  std::shared_ptr<const v1::InstanceSpec> spec;
  std::vector<AdoptedContainer> containers;
};

struct AdoptionPlan {
  std::vector<AdoptableInstance> instances;
  std::vector<std::string> remove_containers;  // with their tasks and snapshots: nobody can tell what they are
  std::vector<std::string> remove_snapshots;   // without a container
};

// Of each container the latest run counts; earlier ones are removed.
AdoptionPlan PlanAdoption(const RuntimeContents& contents);

}  // namespace updraft::node_agent
