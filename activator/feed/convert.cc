#include "activator/feed/convert.h"

#include <string_view>

namespace updraft::activator {
namespace {

RevisionSettings FromProto(const v1::Revision& revision) {
  RevisionSettings settings;
  settings.key = revision.key();
  const size_t slash = settings.key.find('/');
  if (slash != std::string::npos) {
    settings.namespace_name = settings.key.substr(0, slash);
    settings.name = settings.key.substr(slash + 1);
  }
  settings.service = revision.service();
  settings.configuration = revision.configuration();
  settings.container_concurrency = revision.container_concurrency();
  if (revision.timeout_ns() > 0) settings.timeout = Nanos(revision.timeout_ns());
  settings.response_start_timeout = Nanos(revision.response_start_timeout_ns());
  settings.idle_timeout = Nanos(revision.idle_timeout_ns());
  settings.silent_stream_timeout = Nanos(revision.silent_stream_timeout_ns());
  settings.protocol = revision.protocol() == v1::APP_PROTOCOL_H2C ? Protocol::kH2c : Protocol::kHttp1;
  if (revision.has_failure()) {
    settings.failure = RevisionFailure{revision.failure().reason(), revision.failure().message()};
  }
  return settings;
}

ColdStartTimes FromProto(const v1::ColdStart& cold_start) {
  return {.queued_ns = cold_start.queued_ns(),
          .decided_ns = cold_start.decided_ns(),
          .placed_ns = cold_start.placed_ns(),
          .claimed_ns = cold_start.claimed_ns(),
          .started_ns = cold_start.started_ns(),
          .listening_ns = cold_start.listening_ns(),
          .ready_ns = cold_start.ready_ns(),
          .routed_ns = cold_start.routed_ns(),
          .first_byte_ns = cold_start.first_byte_ns()};
}

EndpointsUpdate FromProto(const v1::Endpoints& endpoints) {
  EndpointsUpdate update{.revision = endpoints.revision(), .known = endpoints.known()};
  for (const v1::Endpoint& endpoint : endpoints.endpoints()) {
    update.endpoints.push_back({.address = {.id = endpoint.instance_id(),
                                            .ip = endpoint.ip(),
                                            .port = static_cast<uint16_t>(endpoint.port()),
                                            .cold_start = FromProto(endpoint.cold_start())},
                                .draining = endpoint.draining()});
  }
  return update;
}

RouteUpdate FromProto(const v1::Route& route) {
  RouteUpdate update{.key = route.key(), .https_only = route.https_only()};
  update.certificate = {route.certificate().chain(), route.certificate().private_key()};
  for (const v1::HostRule& rule : route.hosts()) {
    HostUpdate& host = update.hosts.emplace_back();
    host.host = rule.host();
    host.tag = rule.tag();
    host.cluster_local = rule.cluster_local();
    for (const v1::Split& split : rule.splits()) host.splits.push_back({split.revision(), split.percent()});
  }
  return update;
}

SharingUpdate FromProto(const v1::Sharing& sharing) {
  SharingUpdate update{.epoch = sharing.epoch()};
  for (const v1::RevisionSlots& slots : sharing.revisions()) {
    RevisionSlotsUpdate& of = update.revisions.emplace_back();
    of.revision = slots.revision();
    if (slots.has_share()) of.share = slots.share();
    for (const v1::GrantedSlots& granted : slots.granted()) {
      of.granted.emplace_back(granted.instance_id(), granted.granted());
    }
  }
  update.forgotten.assign(sharing.forgotten().begin(), sharing.forgotten().end());
  return update;
}

}  // namespace

RoutingUpdate FromProto(const v1::RoutingUpdate& update) {
  RoutingUpdate result;
  result.full = update.full();
  for (const v1::Revision& revision : update.revisions()) result.revisions.push_back(FromProto(revision));
  for (const v1::Endpoints& endpoints : update.endpoints()) result.endpoints.push_back(FromProto(endpoints));
  for (const v1::Route& route : update.routes()) result.routes.push_back(FromProto(route));
  result.removed_routes.assign(update.removed_routes().begin(), update.removed_routes().end());
  result.removed_revisions.assign(update.removed_revisions().begin(), update.removed_revisions().end());
  if (update.has_sharing()) result.sharing = FromProto(update.sharing());
  return result;
}

v1::LoadReport ToProto(const Reporter& reporter, const std::vector<LoadLine>& lines) {
  v1::LoadReport report;
  report.set_activator_id(reporter.activator_id);
  report.set_epoch(reporter.epoch);
  for (const LoadLine& line : lines) {
    v1::RevisionLoad* load = report.add_revisions();
    load->set_revision(line.revision);
    load->set_request_seconds(line.load.request_time.ToSeconds());
    load->set_request_count(line.load.arrivals);
    load->set_running(line.load.running);
    load->set_waiting(line.load.waiting);
    load->set_at_ns(line.load.at.time_since_epoch().count());
    load->set_first_queued_ns(line.first_queued_ns);
  }
  return report;
}

}  // namespace updraft::activator
