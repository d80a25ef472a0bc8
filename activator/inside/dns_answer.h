// What instances are told when they ask where a service is: the names under the cluster's domain,
// which nobody else knows, and no others. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace updraft::activator {

struct DnsZone {
  std::string domain = "cluster.local";  // lower case
  std::array<uint8_t, 4> address = {};   // where all its services are: our own
  // Whether there is a service of that name: lower case, without a trailing dot.
  std::function<bool(std::string_view)> knows = {};
};

// The answer to `query`, a packet of RFC 1035. Of names in the zone those that are known have the
// address and no other record, the rest do not exist; any other name is refused, so that a resolver
// goes on to the next server. nullopt: it is no query, and gets no answer.
std::optional<std::string> AnswerDns(std::string_view query, const DnsZone& zone);

}  // namespace updraft::activator
