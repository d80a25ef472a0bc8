// Names of instances: `<revision>-deployment-<10 random characters>`, as users of Knative know
// their pods. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace updraft::controller {

using RandomSource = std::function<uint64_t()>;  // uniform over all values

// At most 63 characters, a DNS label; a revision's name that is too long is cut and told apart by a
// hash of the whole. Names do not repeat within the life of a cluster (27^10 suffixes).
std::string NewInstanceName(std::string_view revision, const RandomSource& random);

// A version 4 uid that is always the same for the same text.
std::string StableUid(std::string_view text);
// Of the Pod that an instance is seen as.
std::string PodUid(std::string_view instance);

}  // namespace updraft::controller
