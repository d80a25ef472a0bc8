// What a request's own fields ask of the activator, found in one look at them. Pure.
#pragma once

#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

struct RequestFacts {
  std::string_view request_id;     // empty: none
  std::string_view route_tag;      // of Knative-Serving-Tag
  std::string_view network_probe;  // of K-Network-Probe
  std::string_view network_hash;   // of K-Network-Hash
};

// Of several fields of a name the first counts. Views into `headers`.
RequestFacts FactsOf(const http::Headers& headers);

}  // namespace updraft::activator
