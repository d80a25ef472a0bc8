// instance.json: what the logs' folder of an instance says about it, for agents to come.
#pragma once

#include <optional>
#include <string>

#include "core/base/clock.h"

namespace updraft::node_agent {

struct InstanceRecord {
  std::string instance_id{};
  std::string namespace_name{};
  std::string revision{};
  std::string serving_container{};
  std::optional<WallTime> finished_at = std::nullopt;
};

// A record that cannot be written is one that the next agent guesses.
void WriteInstanceRecord(const std::string& folder, const InstanceRecord& record);

// From the file, or what the folder's name and age tell when there is no usable file. nullopt: no
// folder of ours.
std::optional<InstanceRecord> ReadInstanceRecord(const std::string& folder);

}  // namespace updraft::node_agent
