#include "controller/feeds/routing_feed.h"

#include <google/protobuf/util/message_differencer.h>

namespace updraft::controller {
namespace {

using google::protobuf::util::MessageDifferencer;

// True when `message` was not what `messages` had for `key`.
template <typename Message>
bool Put(std::map<std::string, Message>& messages, const std::string& key, const Message& message) {
  const auto it = messages.find(key);
  if (it != messages.end() && MessageDifferencer::Equals(it->second, message)) return false;
  messages.insert_or_assign(key, message);
  return true;
}

}  // namespace

void RoutingFeed::SetRoute(const v1::Route& route) {
  if (Put(routes_, route.key(), route)) changed_routes_.Changed(route.key());
}

void RoutingFeed::RemoveRoute(const std::string& key) {
  if (routes_.erase(key) > 0) changed_routes_.Changed(key);
}

void RoutingFeed::SetRevision(const v1::Revision& revision, const v1::Endpoints& endpoints) {
  if (Put(revisions_, revision.key(), revision)) changed_revisions_.Changed(revision.key());
  if (Put(endpoints_, revision.key(), endpoints)) changed_endpoints_.Changed(revision.key());
}

void RoutingFeed::RemoveRevision(const std::string& key) {
  endpoints_.erase(key);
  if (revisions_.erase(key) > 0) changed_revisions_.Changed(key);
}

void RoutingFeed::SetRequestLog(const v1::RequestLog& request_log) {
  if (MessageDifferencer::Equals(request_log_, request_log)) return;
  request_log_ = request_log;
  changed_request_log_.Changed({});
}

void RoutingFeed::Subscribe(Subscriber subscriber) {
  new_.insert(subscriber);
  changed_request_log_.Subscribe(subscriber);
  changed_routes_.Subscribe(subscriber);
  changed_revisions_.Subscribe(subscriber);
  changed_endpoints_.Subscribe(subscriber);
}

void RoutingFeed::Unsubscribe(Subscriber subscriber) {
  new_.erase(subscriber);
  changed_request_log_.Unsubscribe(subscriber);
  changed_routes_.Unsubscribe(subscriber);
  changed_revisions_.Unsubscribe(subscriber);
  changed_endpoints_.Unsubscribe(subscriber);
}

std::optional<v1::RoutingUpdate> RoutingFeed::Take(Subscriber subscriber) {
  const std::set<std::string> routes = changed_routes_.Take(subscriber);
  const std::set<std::string> revisions = changed_revisions_.Take(subscriber);
  const std::set<std::string> endpoints = changed_endpoints_.Take(subscriber);
  const bool request_log = !changed_request_log_.Take(subscriber).empty();
  if (new_.erase(subscriber) > 0) return Full();
  if (routes.empty() && revisions.empty() && endpoints.empty() && !request_log) return std::nullopt;

  v1::RoutingUpdate update;
  if (request_log) *update.mutable_request_log() = request_log_;
  for (const std::string& key : revisions) {
    const auto it = revisions_.find(key);
    if (it == revisions_.end()) update.add_removed_revisions(key);
    if (it != revisions_.end()) *update.add_revisions() = it->second;
  }
  for (const std::string& key : endpoints) {
    const auto it = endpoints_.find(key);
    if (it != endpoints_.end()) *update.add_endpoints() = it->second;
  }
  for (const std::string& key : routes) {
    const auto it = routes_.find(key);
    if (it == routes_.end()) update.add_removed_routes(key);
    if (it != routes_.end()) *update.add_routes() = it->second;
  }
  return update;
}

v1::RoutingUpdate RoutingFeed::Full() const {
  v1::RoutingUpdate update;
  update.set_full(true);
  *update.mutable_request_log() = request_log_;
  for (const auto& [key, revision] : revisions_) *update.add_revisions() = revision;
  for (const auto& [key, endpoints] : endpoints_) *update.add_endpoints() = endpoints;
  for (const auto& [key, route] : routes_) *update.add_routes() = route;
  return update;
}

}  // namespace updraft::controller
