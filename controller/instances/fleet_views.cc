#include "controller/instances/fleet_views.h"

namespace updraft::controller {
namespace {

const RevisionState* StateOf(const Fleet& fleet, const RevisionKey& key) {
  const auto it = fleet.revisions().find(key);
  return it == fleet.revisions().end() ? nullptr : &it->second;
}

Activity ActivityOf(const RevisionState& state) {
  if (state.decision.revision().empty()) return Activity::kUnknown;  // none was ever made
  switch (state.decision.active()) {
    case v1::ACTIVE_TRUE:
      return Activity::kActive;
    case v1::ACTIVE_FALSE:
      return Activity::kInactive;
    case v1::ACTIVE_TIMED_OUT:
      return Activity::kTimedOut;
    default:
      return Activity::kActivating;
  }
}

void AddUsage(const Fleet& fleet, const RevisionKey& key, v1::ScaleTarget& target) {
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    if (!Ready(*instance) || !instance->usage.cpu_millis) continue;
    v1::InstanceUsage& usage = *target.add_usage();
    usage.set_cpu_millis(*instance->usage.cpu_millis);
    usage.set_memory_bytes(instance->usage.memory_bytes);
  }
  target.set_cpu_request_millis(RequestsOf(StateOf(fleet, key)->spec->instance).cpu_millis);
}

}  // namespace

InstanceCounts CountsOf(const Fleet& fleet, const RevisionKey& key) {
  InstanceCounts counts;
  const RevisionState* state = StateOf(fleet, key);
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    ++counts.total;
    // Before the fleet has settled as well: it must not vouch for a revision that it is not of.
    const bool earlier = state != nullptr && OfAnEarlierOne(*state, *instance);
    if (instance->intent != Intent::kRun || earlier) ++counts.leaving;
    if (earlier) continue;
    counts.ready += Ready(*instance) ? 1 : 0;
    counts.starting += Starting(*instance) ? 1 : 0;
    counts.failing += Failing(*instance) ? 1 : 0;
  }
  const int wanted = counts.total - counts.leaving;
  counts.desired = state != nullptr && state->desired ? *state->desired : wanted;
  return counts;
}

v1::Endpoints EndpointsOf(const Fleet& fleet, const RevisionKey& key, TimePoint now) {
  v1::Endpoints endpoints;
  endpoints.set_revision(key);
  endpoints.set_known(fleet.known(now));
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    if (!MayHoldRequests(*instance)) continue;
    v1::Endpoint& endpoint = *endpoints.add_endpoints();
    endpoint.set_instance_id(instance->id);
    endpoint.set_ip(instance->report.ip());
    endpoint.set_port(instance->report.port());
    endpoint.set_draining(!Ready(*instance));
    *endpoint.mutable_cold_start() = instance->cold_start;
  }
  return endpoints;
}

std::optional<v1::Revision> RoutedRevisionOf(const Fleet& fleet, const RevisionKey& key) {
  const RevisionState* state = StateOf(fleet, key);
  if (state == nullptr || !state->spec) return std::nullopt;
  v1::Revision revision = state->spec->routing;
  if (auto failure = FailureOf(fleet, key)) *revision.mutable_failure() = std::move(*failure);
  return revision;
}

std::optional<v1::ScaleTarget> ScaleTargetOf(const Fleet& fleet, const RevisionKey& key,
                                             TimePoint now) {
  const RevisionState* state = StateOf(fleet, key);
  // Its clock starts when it can start: what Knative resolves before it deploys is no scaling
  // failure.
  if (state == nullptr || state->removed || !state->spec->resolved) return std::nullopt;
  const RevisionSpec& spec = *state->spec;
  const InstanceCounts counts = CountsOf(fleet, key);
  v1::ScaleTarget target;
  target.set_revision(key);
  target.set_revision_uid(spec.instance.revision_uid());
  for (const auto& [name, value] : spec.scaling_annotations)
    (*target.mutable_annotations())[name] = value;
  target.set_container_concurrency(spec.routing.container_concurrency());
  // Also at zero: were it reachable again as soon as its last instance is gone, its min-scale would
  // bring it back at once, over and over. A request tries it again all the same.
  const bool given_up = NextTrial(state->trial, TrialFactsOf(fleet, key)) == Trial::kGivenUp;
  target.set_reachability(given_up ? v1::UNREACHABLE : spec.reachability);
  target.set_ready(static_cast<uint32_t>(counts.ready));
  target.set_starting(static_cast<uint32_t>(counts.starting));
  target.set_failed(static_cast<uint32_t>(counts.failing));
  target.set_initialized(spec.initialized || state->decision.initialized());
  target.set_created_at_ns(spec.created_at_ns);
  target.set_progress_deadline_ns(spec.instance.progress_deadline_ns());
  target.set_service(spec.instance.service());
  target.set_configuration(spec.instance.configuration());
  target.set_instances_known(fleet.known(now));
  if (spec.instance.report_usage()) AddUsage(fleet, key, target);
  return target;
}

TrialFacts TrialFactsOf(const Fleet& fleet, const RevisionKey& key) {
  TrialFacts facts;
  const RevisionState* state = StateOf(fleet, key);
  if (state == nullptr || !state->spec) return facts;
  facts.broken = state->spec->broken.has_value();
  facts.timed_out = state->decision.active() == v1::ACTIVE_TIMED_OUT;
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    if (instance->intent != Intent::kRun || OfAnEarlierOne(*state, *instance)) continue;
    facts.ready += Ready(*instance) ? 1 : 0;
    facts.waiting += instance->node.empty() ? 1 : 0;
    facts.placed += instance->node.empty() ? 0 : 1;
    const bool beyond_hope = BeyondHope(*instance, state->start_failures);
    facts.beyond_hope += !instance->node.empty() && beyond_hope ? 1 : 0;
  }
  return facts;
}

std::optional<v1::Failure> FailureOf(const Fleet& fleet, const RevisionKey& key) {
  const RevisionState* state = StateOf(fleet, key);
  if (state == nullptr || !state->spec) return std::nullopt;
  std::optional<v1::Failure> failure = state->spec->config_error;
  if (!state->spec->resolved && !failure) failure = state->spec->broken;
  // For one that is given up nobody waits but while something new is tried.
  const bool given_up = state->trial == Trial::kGivenUp;
  for (const Instance* instance : fleet.instances().OfRevision(key)) {
    if (instance->intent != Intent::kRun) continue;
    if (given_up && instance->node.empty()) continue;
    const int failures = state->start_failures;
    const bool hopeless =
        given_up ? BeyondHope(*instance, failures) : HopelessNow(*instance, failures);
    if (!hopeless) return std::nullopt;
    if (failure && !failure->reason().empty()) continue;
    const bool told = !instance->report.failure().reason().empty();  // not while it runs once more
    failure = told || !state->last_failure ? instance->report.failure() : *state->last_failure;
  }
  return failure;
}

RevisionObserved ObservedOf(const Fleet& fleet, const RevisionKey& key, TimePoint now) {
  RevisionObserved observed;
  observed.known = fleet.known(now);
  const RevisionState* state = StateOf(fleet, key);
  if (state == nullptr) return observed;
  const InstanceCounts counts = CountsOf(fleet, key);
  observed.ready = counts.ready;
  observed.starting = counts.starting;
  observed.desired = state->desired;
  observed.activity = ActivityOf(*state);
  observed.initialized = state->decision.initialized() || (state->spec && state->spec->initialized);
  if (state->last_failure)
    observed.failure = {state->last_failure->reason(), state->last_failure->message()};
  if (!state->last_failure && state->spec && state->spec->config_error) {
    observed.failure = {state->spec->config_error->reason(), state->spec->config_error->message()};
  }
  return observed;
}

}  // namespace updraft::controller
