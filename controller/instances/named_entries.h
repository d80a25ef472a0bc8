// What a ConfigMap or a Secret holds, by key. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "controller/instances/revision_spec.h"
#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::controller {

enum class EntrySource { kConfigMap, kSecret };

using Entries = std::map<std::string, std::string>;

// Of a ConfigMap data and binaryData, of a Secret data and stringData. What cannot be decoded is
// left out.
Entries EntriesOf(const Json& object, EntrySource source);

// Those of the object that `reference` names in its member `name_member`; none when it is not there
// and the reference is optional. kFailedPrecondition: not there; the message is for the user.
Result<Entries> FindEntries(const Json& reference, EntrySource source, std::string_view name_member,
                            const NamedObjects& named);

}  // namespace updraft::controller
