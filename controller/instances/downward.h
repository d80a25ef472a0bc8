// What an instance may read of itself: fields of its pod, resources of its containers, and a token
// in its service account's name. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/api/json.h"
#include "core/base/result.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Stand for an instance's own name and uid in what is read of its revision, wherever a user has
// their values put; control characters, so that no text of a user's is one.
inline constexpr std::string_view kNameMark = "\x1enamed\x1e";
inline constexpr std::string_view kUidMark = "\x1euid\x1e";

// The value of "metadata.name", "metadata.labels['team']" and the like; of whole maps as lines of
// key="value". `pod`: the instance's spec as far as it is known. kFailedPrecondition: a field that
// cannot be had.
Result<std::string> PodField(std::string_view path, const v1::InstanceSpec& pod,
                             const Json& pod_spec);

// A mark for "spec.nodeName", "status.hostIP", "status.podIP" and their lists of one, which the node fills
// in; only in containers' variables, and what is made of them. Empty: another field.
std::string_view NodeField(std::string_view path);

// Of "limits.cpu" and the like in multiples of the reference's divisor, rounded up; a limit that is
// not set: the request. kFailedPrecondition: the container has no such resource.
Result<std::string> ResourceField(const Json& reference, const Json& containers,
                                  std::string_view own_container);

// A JSON web token that names the service account and whom it is for. Nobody signs it (RFC 7519,
// section 6): this platform has no accounts that others could trust.
std::string ServiceAccountToken(const Json& projection, const v1::InstanceSpec& pod,
                                const Json& pod_spec);

bool HasMarks(const v1::InstanceSpec& spec);
bool HasNodeMarks(const v1::InstanceSpec& spec);
// Puts the name and uid of an instance where they are wanted.
void FillMarks(std::string_view uid, v1::InstanceSpec& spec);

}  // namespace updraft::controller
