#include "node-agent/image/containerd_scope.h"

#include "core/base/grpc_status.h"

namespace updraft::node_agent {

bool MeansDiskFull(const std::string& text) {
  return text.find("no space left on device") != std::string::npos ||
         text.find("disk quota exceeded") != std::string::npos;
}

Error ContainerdError(const std::string& doing, const grpc::Status& status) {
  Error error = FromGrpc(status);
  if (MeansDiskFull(error.message)) {
    return {Code::kResourceExhausted, "disk full: " + doing + ": " + error.message};
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    error.message = "containerd is not reachable: " + error.message;
  }
  if (status.error_code() == grpc::StatusCode::UNKNOWN) error.code = Code::kInternal;
  return Context(doing, std::move(error));
}

}  // namespace updraft::node_agent
