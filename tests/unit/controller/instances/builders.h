// Short ways to say what tests of the fleet need.
#pragma once

#include <memory>
#include <string>

#include "controller/instances/fleet.h"

namespace updraft::controller {

inline std::shared_ptr<const RevisionSpec> SpecOf(const std::string& key, int64_t cpu_millis = 0) {
  auto spec = std::make_shared<RevisionSpec>();
  spec->key = key;
  const size_t slash = key.find('/');
  spec->instance.set_namespace_(key.substr(0, slash));
  spec->instance.set_revision(key.substr(slash + 1));
  spec->instance.set_revision_uid("uid-" + key);
  spec->instance.set_service("svc");
  spec->instance.set_serving_container("user-container");
  spec->instance.set_port(8080);
  spec->instance.set_termination_grace_ns(Nanos(Seconds(300)).count());
  spec->instance.set_progress_deadline_ns(Nanos(Seconds(600)).count());
  v1::Container& container = *spec->instance.add_containers();
  container.set_name("user-container");
  container.set_image("registry.test/app");
  container.mutable_resources()->set_cpu_request_millis(cpu_millis);
  spec->routing.set_key(key);
  spec->resolved = true;
  return spec;
}

inline v1::NodeHello HelloOf(const std::string& name, int64_t cpu_millis = 4000) {
  v1::NodeHello hello;
  hello.set_node(name);
  hello.mutable_capacity()->set_cpu_millis(cpu_millis);
  hello.mutable_capacity()->set_memory_bytes(8LL << 30);
  hello.mutable_capacity()->set_instances_max(100);
  return hello;
}

inline v1::InstanceReport ReportOf(const v1::InstanceSpec& spec, v1::InstancePhase phase) {
  v1::InstanceReport report;
  report.set_instance_id(spec.instance_id());
  report.set_revision(spec.namespace_() + "/" + spec.revision());
  report.set_phase(phase);
  report.set_ip("10.89.0.2");
  report.set_port(spec.port());
  return report;
}

inline v1::Decision DecisionOf(const std::string& key, int desired) {
  v1::Decision decision;
  decision.set_revision(key);
  decision.set_desired(desired);
  decision.set_active(desired > 0 ? v1::ACTIVE_TRUE : v1::ACTIVE_FALSE);
  return decision;
}

}  // namespace updraft::controller
