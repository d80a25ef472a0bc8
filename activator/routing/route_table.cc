#include "activator/routing/route_table.h"

#include <algorithm>

namespace updraft::activator {
namespace {

constexpr uint32_t kPercent = 100;
// Prime to a hundred and near the golden ratio: a hundred turns meet each number once, well spread.
constexpr uint32_t kStride = 61;

}  // namespace

Revision* HostRule::Choose() const {
  if (splits.empty()) return nullptr;
  if (splits.size() == 1) return splits[0].revision.get();
  const uint32_t turn = turn_.fetch_add(1, std::memory_order_relaxed) % kPercent;
  const uint32_t ticket = turn * kStride % kPercent;
  const auto chosen = std::ranges::upper_bound(splits, ticket, {}, &RouteSplit::upto);
  return (chosen == splits.end() ? splits.back() : *chosen).revision.get();
}

const HostRule* RouteEntry::FindTag(std::string_view tag) const {
  const auto found = std::ranges::find(hosts, tag, [](const auto& rule) { return std::string_view(rule->tag); });
  return found == hosts.end() ? nullptr : found->get();
}

const HostRule* RouteTable::Find(std::string_view authority) const {
  const HostName host(authority);
  const auto* rule = hosts_.Find(host.view());
  return rule == nullptr ? nullptr : rule->get();
}

std::shared_ptr<const http::Certificate> RouteTable::FindCertificate(std::string_view host) const {
  const auto* rule = hosts_.Find(host);
  return rule == nullptr || (*rule)->route == nullptr ? nullptr : (*rule)->route->certificate;
}

RevisionView RouteTable::ViewOf(const Revision& revision) const {
  const RevisionView* view = revisions_.Find(revision.key());
  return view == nullptr ? RevisionView{} : *view;
}

}  // namespace updraft::activator
