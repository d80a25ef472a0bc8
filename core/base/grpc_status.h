// The only place where our results and gRPC's statuses meet.
#pragma once

#include <grpcpp/grpcpp.h>

#include "core/base/result.h"

namespace updraft {

inline grpc::Status ToGrpc(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

// REQUIRES: !status.ok().
inline Error FromGrpc(const grpc::Status& status) {
  return {static_cast<Code>(status.error_code()), status.error_message()};
}

inline Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return Ok();
  return FromGrpc(status);
}

// Ends a unary call that is answered at once.
template <typename Response>
grpc::ServerUnaryReactor* FinishUnary(grpc::CallbackServerContext* context, Response* out, Result<Response> result) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!result.has_value()) {
    reactor->Finish(ToGrpc(result.error()));
    return reactor;
  }
  *out = std::move(result).value();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace updraft
