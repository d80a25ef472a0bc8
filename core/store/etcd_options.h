// Where an etcd cluster is and which of its keys are ours. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::store {

// Files in PEM form. All empty: no TLS.
struct EtcdTls {
  std::string ca = {};    // who signed the servers' certificates; empty: whom the system trusts
  std::string cert = {};  // the client's own, with its key
  std::string key = {};

  bool wanted() const { return !ca.empty() || !cert.empty() || !key.empty(); }
};

struct EtcdOptions {
  std::vector<std::string> endpoints = {};  // "host:port", tried in this order; at least one
  EtcdTls tls = {};
  std::string prefix = {};           // put before every key in etcd, and not seen above it
  std::string root = {};             // what all keys begin with: the store looks at nothing else
  Nanos call_deadline = Seconds(5);  // of one call to one endpoint
  Nanos patience = Seconds(10);      // how long calls wait for an endpoint that answers
};

inline constexpr std::string_view kEtcdScheme = "etcd://";

// "etcd://HOST[:PORT],HOST[:PORT].../PREFIX", port 2379 and no prefix if there is none.
// kInvalidArgument.
Result<EtcdOptions> ParseEtcdSpec(std::string_view spec);

}  // namespace updraft::store
