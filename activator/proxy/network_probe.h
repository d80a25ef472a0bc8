// Knative's probes of the network: whoever asks is told that the request came as far as here. Pure.
#pragma once

#include <string>
#include <string_view>

namespace updraft::activator {

struct ProbeAnswer {
  int status = 200;
  std::string_view hash;  // for K-Network-Hash; empty: none
  std::string body;
};

// `probe` and `hash`: the request's K-Network-Probe, not empty, and K-Network-Hash. "probe" is
// given its hash back, "activator" the name; anything else is not for us: 400.
ProbeAnswer AnswerProbe(std::string_view probe, std::string_view hash);

}  // namespace updraft::activator
