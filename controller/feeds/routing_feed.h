// What activators are told: routes, revisions and endpoints, in full to one that has just
// connected, then what has changed since. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/feeds/change_set.h"
#include "updraft/v1/routing.pb.h"

namespace updraft::controller {

class RoutingFeed {
 public:
  using Subscriber = ChangeSets::Subscriber;

  // Setting what is there already changes nothing.
  void SetRoute(const v1::Route& route);
  void RemoveRoute(const std::string& key);
  void SetRevision(const v1::Revision& revision, const v1::Endpoints& endpoints);
  void RemoveRevision(const std::string& key);
  void SetRequestLog(const v1::RequestLog& request_log);

  // The next update of a new subscriber is a full one.
  void Subscribe(Subscriber subscriber);
  void Unsubscribe(Subscriber subscriber);
  // What the subscriber has to be told now; nullopt: nothing. It counts as told.
  std::optional<v1::RoutingUpdate> Take(Subscriber subscriber);

  size_t route_count() const { return routes_.size(); }
  const std::map<std::string, v1::Route>& routes() const { return routes_; }

 private:
  v1::RoutingUpdate Full() const;

  std::map<std::string, v1::Route> routes_;
  std::map<std::string, v1::Revision> revisions_;
  std::map<std::string, v1::Endpoints> endpoints_;
  v1::RequestLog request_log_;
  ChangeSets changed_routes_;
  ChangeSets changed_revisions_;
  ChangeSets changed_endpoints_;
  ChangeSets changed_request_log_;
  std::set<Subscriber> new_;
};

}  // namespace updraft::controller
