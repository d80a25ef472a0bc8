// What a node says of itself and of its state. Reads this machine.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/config.h"
#include "node-agent/spec/host_facts.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

// Everything but containerd's version. Executes the runtime binary once, to ask for its version: blocks.
Result<v1::NodeHello> DescribeNode(const Config& config, const HostFacts& host);

// Everything but the images. `state`: a folder on the disk that images are on.
v1::NodeStatus NodeStatusNow(const std::string& state);

// "crun 1.8.1" of what `crun --version` or `runc --version` prints. Pure.
std::string RuntimeVersion(const std::string& output);

}  // namespace updraft::node_agent
