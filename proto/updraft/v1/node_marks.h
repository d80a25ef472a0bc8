// Stand, in the texts of an InstanceSpec that has node_marks, for what only the node knows: see node.proto. Control
// characters, so that no text of a user's is one.
#pragma once

#include <string_view>

namespace updraft::v1 {

inline constexpr std::string_view kNodeNameMark = "\x1enode-name\x1e";
inline constexpr std::string_view kHostIpMark = "\x1ehost-ip\x1e";
inline constexpr std::string_view kPodIpMark = "\x1epod-ip\x1e";

}  // namespace updraft::v1
