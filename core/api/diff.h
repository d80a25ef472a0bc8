// What differs between two documents, for people. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.h"

namespace updraft::api {

// One paragraph per value that differs, with the value's path in Go's structs below `root`, as
// Knative shows it: "{v1.RevisionSpec}.PodSpec.Containers[0].Image:\n\t-: \"a\"\n\t+: \"b\"\n".
// Empty when the documents are equal; amounts such as "1" and "1000m" are compared as text.
// `root`: {v1.RevisionSpec} or {*v1.RevisionTemplateSpec}, of which the documents are.
inline constexpr std::string_view kRevisionSpecRoot = "{v1.RevisionSpec}";
inline constexpr std::string_view kRevisionTemplateRoot = "{*v1.RevisionTemplateSpec}";
std::string DiffText(const Json& before, const Json& after, std::string_view root);

}  // namespace updraft::api
