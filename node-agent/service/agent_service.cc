#include "node-agent/service/agent_service.h"

#include <utility>

#include "core/base/log.h"
#include "node-agent/instance/store_images.h"
#include "node-agent/service/command_call.h"
#include "node-agent/service/forward_call.h"
#include "node-agent/service/load_call.h"
#include "node-agent/service/log_call.h"

namespace updraft::node_agent {
namespace {

template <typename Response>
using Answer = std::function<void(Result<Response>)>;

}  // namespace

grpc::ServerWriteReactor<v1::LogChunk>* AgentServer::ReadLogs(grpc::CallbackServerContext*,
                                                              const v1::ReadLogsRequest* request) {
  return LogCall::Accept(loop_, logs_, *request);
}

grpc::ServerBidiReactor<v1::ExecInput, v1::ExecOutput>* AgentServer::Exec(grpc::CallbackServerContext*) {
  return CommandCall::Accept<CommandCall>(loop_, host_, processes_);
}

grpc::ServerBidiReactor<v1::PortForwardInput, v1::PortForwardOutput>* AgentServer::PortForward(
    grpc::CallbackServerContext*) {
  return ForwardCall::Accept<ForwardCall>(loop_, host_, runtime_);
}

grpc::ServerBidiReactor<v1::LoadImageRequest, v1::LoadImageProgress>* AgentServer::LoadImage(
    grpc::CallbackServerContext*) {
  return LoadCall::Accept(loop_, images_);
}

grpc::ServerUnaryReactor* AgentServer::ResolveImage(grpc::CallbackServerContext* context,
                                                    const v1::ResolveImageRequest* request,
                                                    v1::ResolveImageResponse* response) {
  return calls_.Answer<v1::ResolveImageResponse>(
      context, response, [this, request](const Answer<v1::ResolveImageResponse>& answer) {
        images_.Resolve(request->image(), CredentialsOf(request->auth()), [answer](const Result<std::string>& digest) {
          if (!digest) return answer(digest.error());
          v1::ResolveImageResponse resolved;
          resolved.set_digest(*digest);
          answer(std::move(resolved));
        });
      });
}

grpc::ServerUnaryReactor* AgentServer::ListImages(grpc::CallbackServerContext* context, const v1::ListImagesRequest*,
                                                  v1::ListImagesResponse* response) {
  return calls_.Answer<v1::ListImagesResponse>(context, response, [this](const Answer<v1::ListImagesResponse>& answer) {
    v1::ListImagesResponse list;
    for (const ImageEntry& entry : images_.List()) {
      v1::Image& image = *list.add_images();
      image.set_reference(entry.reference);
      image.set_digest(entry.digest);
      image.set_size_bytes(entry.size_bytes);
      image.set_created_at_ns(entry.created_at_ns);
      image.set_loaded(entry.loaded);
    }
    answer(std::move(list));
  });
}

grpc::ServerUnaryReactor* AgentServer::RemoveImage(grpc::CallbackServerContext* context,
                                                   const v1::RemoveImageRequest* request,
                                                   v1::RemoveImageResponse* response) {
  return calls_.Answer<v1::RemoveImageResponse>(
      context, response, [this, request](const Answer<v1::RemoveImageResponse>& answer) {
        images_.Remove(request->reference(), [answer](const Status& removed) {
          if (!removed) return answer(removed.error());
          answer(v1::RemoveImageResponse());
        });
      });
}

grpc::ServerUnaryReactor* AgentServer::StopAll(grpc::CallbackServerContext* context, const v1::StopAllRequest* request,
                                               v1::StopAllResponse* response) {
  return calls_.Answer<v1::StopAllResponse>(
      context, response, [this, request](const Answer<v1::StopAllResponse>& answer) {
        Log(Level::kInfo, "stop_all", {{"grace_ms", request->grace_ns() / 1'000'000}});
        host_.StopAll(Nanos(request->grace_ns()), [answer](int stopped) {
          Log(Level::kInfo, "all_stopped", {{"instances", stopped}});
          answer(v1::StopAllResponse());
        });
      });
}

}  // namespace updraft::node_agent
