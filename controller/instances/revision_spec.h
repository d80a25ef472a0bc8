// A Revision object as the runtime side needs it: what each of its instances is made of, and how
// requests to it are treated. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/instances/instance.h"
#include "core/api/json.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "updraft/v1/node.pb.h"
#include "updraft/v1/routing.pb.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::controller {

// Where the objects come from that a Revision names: ConfigMaps, Secrets, ServiceAccounts and
// PersistentVolumeClaims of its namespace. Null: there is none of that name.
struct NamedObjects {
  using Find = std::function<std::shared_ptr<const Json>(std::string_view name)>;
  Find config_map;
  Find secret;
  Find service_account;
  Find claim = {};
};

// Text of "fieldRef" and "resourceFieldRef", for whoever reads what a user has their values put in.
// `container`: the name of the one that asks.
using DownwardFields =
    std::function<Result<std::string>(const Json& holder, std::string_view container)>;

struct RevisionSpec {
  RevisionKey key;
  v1::InstanceSpec instance;                               // all but instance_id and cold_start
  v1::Revision routing;                                    // all but failure
  std::map<std::string, std::string> scaling_annotations;  // and updraft.dev/...
  v1::Reachability reachability = v1::REACHABILITY_UNKNOWN;
  int64_t created_at_ns = 0;
  bool initialized =
      false;  // its initial scale was reached once, as its status says; set by the caller
  bool own_progress_deadline = false;  // its annotation sets it
  // Digests are known, so that all instances will run the same bytes.
  bool resolved = false;
  // Its instances are told their names or uids (downward.h).
  bool marked = false;
  // Conditions say that the revision cannot run (ResourcesAvailable or ContainerHealthy is False).
  std::optional<v1::Failure> broken;
  // No instance can be made, because an object that it names is missing or wrong.
  std::optional<v1::Failure> config_error;

  Nanos grace() const { return Nanos(instance.termination_grace_ns()); }
  Nanos progress_deadline() const { return Nanos(instance.progress_deadline_ns()); }
};

// `revision` is as the API stores it: defaulted and validated. What is missing nevertheless gets
// the API's default; only an object that is no Revision at all is refused (kInvalidArgument).
Result<RevisionSpec> ReadRevision(const Json& revision, const NamedObjects& named);

// The spec of one instance.
v1::InstanceSpec MakeInstanceSpec(const RevisionSpec& revision, const InstanceId& id,
                                  const v1::ColdStart& cold_start);

// What the instance asks its node for: all containers together.
struct ResourceRequests {
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
};
ResourceRequests RequestsOf(const v1::InstanceSpec& spec);

}  // namespace updraft::controller
