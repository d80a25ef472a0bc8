#include "controller/nodes/image_resolution.h"

namespace updraft::controller {

http::Task<Result<std::string>> AgentImageResolver::Resolve(std::string image,
                                                            std::vector<v1::ImageAuth> auth) {
  const std::shared_ptr<AgentClient> agent = nodes_.AnyAgent();
  if (!agent) co_return Error{Code::kUnavailable, "no node-agent is connected"};
  co_return co_await agent->ResolveImage(std::move(image), std::move(auth), timeout_);
}

}  // namespace updraft::controller
