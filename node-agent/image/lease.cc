#include "node-agent/image/lease.h"

#include <github.com/containerd/containerd/api/services/leases/v1/leases.grpc.pb.h>

#include <array>
#include <ctime>

#include "core/base/log.h"
#include "node-agent/image/digest.h"

namespace updraft::node_agent {

namespace leases = containerd::services::leases::v1;

namespace {

constexpr char kWorkLabel[] = "updraft.dev/image-work";
constexpr char kExpireLabel[] = "containerd.io/gc.expire";
constexpr Seconds kLifetime = std::chrono::hours(24);
constexpr Seconds kLifetimeLeft = std::chrono::hours(1);

std::string Rfc3339(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<Seconds>(time.time_since_epoch()).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

// containerd's identifiers are at most 76 characters of [A-Za-z0-9._-].
std::string ShortName(const std::string& work) {
  constexpr size_t kSchemeBytes = 7;  // "sha256:"
  return DigestOf(work).substr(kSchemeBytes, 16);
}

std::unique_ptr<leases::Leases::Stub> LeaseStub(const ContainerdScope& scope) {
  return leases::Leases::NewStub(scope.client->channel());
}

Result<std::vector<leases::Lease>> LeasesOf(const ContainerdScope& scope, const std::string& work) {
  ContainerdCall call(scope);
  leases::ListRequest request;
  leases::ListResponse response;
  std::string filter = "labels.\"";
  filter.append(kWorkLabel).append("\"==\"").append(work).append("\"");
  request.add_filters(filter);
  const grpc::Status status = LeaseStub(scope)->List(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("look for leases", status);
  return std::vector<leases::Lease>(response.leases().begin(), response.leases().end());
}

}  // namespace

Status HoldInLease(const ContainerdScope& scope, const std::string& type, const std::string& id) {
  ContainerdCall call(scope);
  leases::AddResourceRequest request;
  google::protobuf::Empty response;
  request.set_id(scope.lease);
  request.mutable_resource()->set_id(id);
  request.mutable_resource()->set_type(type);
  const grpc::Status status = LeaseStub(scope)->AddResource(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("hold " + id, status);
  return Ok();
}

Result<WorkLease> WorkLease::Take(const ContainerdScope& scope, const std::string& work,
                                  WallTime now) {
  ContainerdScope leased = scope;
  auto earlier = LeasesOf(scope, work);
  if (!earlier) return earlier.error();
  for (const leases::Lease& lease : *earlier) {
    const auto expires = lease.labels().find(kExpireLabel);
    // Both are UTC in one format: their order as text is their order in time.
    if (expires != lease.labels().end() && expires->second > Rfc3339(now + kLifetimeLeft)) {
      leased.lease = lease.id();
      return WorkLease(std::move(leased), work);
    }
  }
  ContainerdCall call(scope);
  leases::CreateRequest request;
  leases::CreateResponse response;
  request.set_id("updraft-image-" + std::to_string(UnixNanos(now)) + "-" + ShortName(work));
  request.mutable_labels()->insert({kWorkLabel, work});
  request.mutable_labels()->insert({kExpireLabel, Rfc3339(now + kLifetime)});
  const grpc::Status status = LeaseStub(scope)->Create(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("take a lease", status);
  leased.lease = response.lease().id();
  return WorkLease(std::move(leased), work);
}

void WorkLease::Release() const {
  const ContainerdScope scope{.client = scope_.client};
  const auto mine = LeasesOf(scope, work_);
  if (!mine) {
    // They expire by themselves.
    Log(Level::kWarn, "image_leases_not_released", {{"error", mine.error().message}});
    return;
  }
  const auto stub = LeaseStub(scope);
  for (const leases::Lease& lease : *mine) {
    ContainerdCall call(scope);
    leases::DeleteRequest request;
    google::protobuf::Empty response;
    request.set_id(lease.id());
    stub->Delete(call.context(), request, &response);
  }
}

}  // namespace updraft::node_agent
