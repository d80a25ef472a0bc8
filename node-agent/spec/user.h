// Who a container's process runs as: the image's USER and the user's security context against the image's
// /etc/passwd and /etc/group. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

// The text of the image's files; empty where the image has none.
struct UserFiles {
  std::string passwd = {};
  std::string group = {};
};

struct UserRequest {
  std::string image_user = {};  // "", "name", "uid", "name:group", "uid:gid" and mixtures
  std::optional<int64_t> run_as_user = std::nullopt;
  std::optional<int64_t> run_as_group = std::nullopt;
  bool run_as_non_root = false;
  std::string pod = {};        // for messages: "name_namespace(uid)"
  std::string container = {};  // for messages
};

struct ResolvedUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> additional_gids = {};  // ascending; those of /etc/group that list the user
  bool operator==(const ResolvedUser&) const = default;
};

// Like containerd resolves it: a number needs no entry and then has group 0; a name without one is an error.
// run_as_user replaces the image's user, and with it the image's group. A user who breaks run_as_non_root
// is kFailedPrecondition, in Kubernetes' words.
Result<ResolvedUser> ResolveUser(const UserRequest& request, const UserFiles& files);

}  // namespace updraft::node_agent
