// Names under RUN/netns: which namespaces there are, and whose they are.
//
//   ns-10.89.0.7    a namespace, pinned; its address is in its name
//   <instance>      symbolic link to the namespace that the instance has; none: it is a pooled one
//
// So what a dead agent left tells all that its successor must know. Thread-safe: no state but the
// folder's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/network/ipv4.h"

namespace updraft::node_agent {

class NamespaceFolder {
 public:
  explicit NamespaceFolder(const std::string& run) : path_(run + "/netns") {}

  const std::string& path() const { return path_; }
  std::string PathOf(Ipv4 address) const { return path_ + "/ns-" + ToString(address); }

  Status Create() const;

  // Replaces the instance's link, if it has one.
  Status Claim(const std::string& instance, Ipv4 address) const;
  void Unclaim(const std::string& instance) const;

  struct Contents {
    std::vector<Ipv4> addresses;         // of all namespaces
    std::map<std::string, Ipv4> claims;  // by instance
  };
  Result<Contents> Read() const;

  // Lets go of all namespaces and removes the folder. No error if there is none.
  Status RemoveAll() const;

 private:
  const std::string path_;
};

// Whether an instance of this name can have a namespace here: a DNS label.
bool IsInstanceName(const std::string& name);

}  // namespace updraft::node_agent
