// From a request's host to a revision: an immutable snapshot. Pure; safe for concurrent use.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "activator/queue/revision.h"
#include "activator/routing/persistent_map.h"
#include "core/http/certificate.h"
#include "core/http/host_name.h"

namespace updraft::activator {

using http::HostName;

struct RouteEntry;

struct RouteSplit {
  std::shared_ptr<Revision> revision;
  uint32_t upto = 0;  // this split's percent and those before it, added up
};

// One host of a route.
struct HostRule {
  std::string host;
  std::string tag;  // empty: the route's main host
  bool cluster_local = false;
  std::vector<RouteSplit> splits;  // none has 0 percent
  const RouteEntry* route = nullptr;

  // The revision for the next request: every hundred in a row are split exactly by percent. Null when
  // the rule has no splits. Valid as long as the table.
  Revision* Choose() const;
  // Takes the turns up where the rule of the same host left them, so that a route that changes often is still
  // split by percent. Before the rule is published.
  void GoOnFrom(const HostRule& before) {
    turn_.store(before.turn_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

 private:
  // No part of what the rule says. One for all workers, so that the split is exact over them.
  mutable std::atomic<uint32_t> turn_{0};
};

// A route and all its hosts.
struct RouteEntry {
  std::string key;  // "namespace/name"
  std::vector<std::unique_ptr<HostRule>> hosts;
  bool has_tags = false;
  bool https_only = false;  // but for cluster-local hosts
  std::shared_ptr<const http::Certificate> certificate;  // null: none of its own

  // The rule of the tag, for routing by the Knative-Serving-Tag header; null: there is none.
  const HostRule* FindTag(std::string_view tag) const;
};

class RouteTable {
 public:
  // The rule of a host as it came in the request; null: unknown. Valid as long as the table.
  const HostRule* Find(std::string_view authority) const;
  // What its route has for it; null: nothing. `host`: lower case, without port.
  std::shared_ptr<const http::Certificate> FindCertificate(std::string_view host) const;
  RevisionView ViewOf(const Revision& revision) const;
  size_t host_count() const { return hosts_.size(); }
  size_t revision_count() const { return revisions_.size(); }

 private:
  friend class RoutingState;

  PersistentMap<std::shared_ptr<const HostRule>> hosts_;
  PersistentMap<RevisionView> revisions_;  // by key
};

}  // namespace updraft::activator
