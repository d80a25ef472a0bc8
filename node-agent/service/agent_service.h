// AgentService: what has a caller who waits: logs, images, commands, connections, the end of everything.
#pragma once

#include "core/base/loop.h"
#include "node-agent/image/image_store.h"
#include "node-agent/instance/instance_host.h"
#include "node-agent/logs/log_store.h"
#include "node-agent/service/loop_calls.h"
#include "node-agent/session/exec_processes.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::node_agent {

// Methods are called on gRPC's threads; the work is done on the loop, which must run until the server is shut down.
class AgentServer final : public v1::AgentService::CallbackService {
 public:
  // All must outlive the gRPC server that this is registered with.
  AgentServer(Loop& loop, InstanceHost& host, ImageStore& images, LogStore& logs, ContainerRuntime& runtime,
              ExecProcesses& processes)
      : loop_(loop),
        host_(host),
        images_(images),
        logs_(logs),
        runtime_(runtime),
        processes_(processes),
        calls_(loop) {}

  // Loop thread only: nobody waits for an answer any more.
  void Close() { calls_.FailAll(); }

 private:
  grpc::ServerWriteReactor<v1::LogChunk>* ReadLogs(grpc::CallbackServerContext*,
                                                   const v1::ReadLogsRequest* request) override;
  grpc::ServerBidiReactor<v1::ExecInput, v1::ExecOutput>* Exec(grpc::CallbackServerContext*) override;
  grpc::ServerBidiReactor<v1::PortForwardInput, v1::PortForwardOutput>* PortForward(
      grpc::CallbackServerContext*) override;
  grpc::ServerUnaryReactor* ResolveImage(grpc::CallbackServerContext* context, const v1::ResolveImageRequest* request,
                                         v1::ResolveImageResponse* response) override;
  grpc::ServerBidiReactor<v1::LoadImageRequest, v1::LoadImageProgress>* LoadImage(
      grpc::CallbackServerContext*) override;
  grpc::ServerUnaryReactor* ListImages(grpc::CallbackServerContext* context, const v1::ListImagesRequest*,
                                       v1::ListImagesResponse* response) override;
  grpc::ServerUnaryReactor* RemoveImage(grpc::CallbackServerContext* context, const v1::RemoveImageRequest* request,
                                        v1::RemoveImageResponse* response) override;
  grpc::ServerUnaryReactor* StopAll(grpc::CallbackServerContext* context, const v1::StopAllRequest* request,
                                    v1::StopAllResponse* response) override;

  Loop& loop_;
  InstanceHost& host_;
  ImageStore& images_;
  LogStore& logs_;
  ContainerRuntime& runtime_;
  ExecProcesses& processes_;
  LoopCalls calls_;
};

}  // namespace updraft::node_agent
