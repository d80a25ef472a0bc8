#include "activator/proxy/network_probe.h"

namespace updraft::activator {

ProbeAnswer AnswerProbe(std::string_view probe, std::string_view hash) {
  if (probe == "activator") return {.status = 200, .hash = {}, .body = "activator"};
  if (probe != "probe") {
    return {.status = 400,
            .hash = {},
            .body = "unexpected probe header value: \"" + std::string(probe) + "\"\n"};
  }
  if (hash.empty())
    return {.status = 400, .hash = {}, .body = "a probe must have a K-Network-Hash header\n"};
  return {.status = 200, .hash = hash, .body = {}};
}

}  // namespace updraft::activator
