// A node's AgentService: for what someone waits for. Loop thread only.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/nodes/duplex_stream.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/sync.h"
#include "core/http/task.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::controller {

// The chunks of a log, as fast as they are taken: the agent is not read ahead of more than one.
// Destroyed at any time; the call then ends.
class LogReader {
 public:
  // nullopt: the end. Errors: kNotFound: no such instance or container; kUnavailable: the agent is
  // away. One call at a time.
  http::Task<Result<std::optional<std::string>>> Next();

  // Next() returns kCancelled from now on, also when it waits.
  void Cancel();

  ~LogReader();
  LogReader(LogReader&&) = default;
  LogReader& operator=(LogReader&&) = delete;

 private:
  friend class AgentClient;
  class Call;
  explicit LogReader(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  std::shared_ptr<Call> call_;
};

class AgentClient {
 public:
  // `address`: a gRPC target. Connects when it is used.
  AgentClient(Loop& loop, const std::string& address);
  const std::string& address() const { return address_; }

  // The digest of `image`, empty where it has none. kNotFound, kPermissionDenied, kUnauthenticated,
  // kUnavailable: with a message for the user.
  http::Task<Result<std::string>> ResolveImage(std::string image, std::vector<v1::ImageAuth> auth,
                                               Nanos timeout);

  LogReader ReadLogs(v1::ReadLogsRequest request);

  // The first message to write says what is wanted, see proto/updraft/v1/node.proto.
  using ExecStream = DuplexStream<v1::ExecInput, v1::ExecOutput>;
  ExecStream Exec();
  using PortForwardStream = DuplexStream<v1::PortForwardInput, v1::PortForwardOutput>;
  PortForwardStream PortForward();

  Loop& loop() const { return loop_; }

 private:
  Loop& loop_;
  const std::string address_;
  const std::unique_ptr<v1::AgentService::Stub> stub_;
};

}  // namespace updraft::controller
