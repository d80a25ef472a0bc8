// The seam through which image tags become digests.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/http/task.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Loop thread only. Implementations ask a node-agent, which reaches the registry as the pull later
// will.
class ImageResolver {
 public:
  // "sha256:..." of what `image` stands for now, or empty where it has no digest. Answers within
  // ten seconds or so. Errors carry a message for the user; all are tried again.
  virtual http::Task<Result<std::string>> Resolve(std::string image,
                                                  std::vector<v1::ImageAuth> auth) = 0;

 protected:
  ~ImageResolver() = default;
};

}  // namespace updraft::controller
