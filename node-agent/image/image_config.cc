#include "node-agent/image/image_config.h"

#include "node-agent/image/digest.h"
#include "node-agent/image/json_fields.h"

namespace updraft::node_agent {

Result<ImageConfig> ParseImageConfig(std::string_view bytes) {
  const nlohmann::json document = ParseJson(bytes);
  if (!document.is_object()) {
    return Error{Code::kInvalidArgument, "malformed image config: it is not a JSON object"};
  }
  ImageConfig config;
  config.platform = {.os = TextOf(document, "os"),
                     .architecture = TextOf(document, "architecture"),
                     .variant = TextOf(document, "variant")};
  if (const nlohmann::json* run = FieldOf(document, "config")) {
    config.entrypoint = TextsOf(*run, "Entrypoint");
    config.cmd = TextsOf(*run, "Cmd");
    config.env = TextsOf(*run, "Env");
    config.user = TextOf(*run, "User");
    config.working_dir = TextOf(*run, "WorkingDir");
    config.exposed_ports = KeysOf(*run, "ExposedPorts");
    config.volumes = KeysOf(*run, "Volumes");
    config.stop_signal = TextOf(*run, "StopSignal");
    config.labels = TextMapOf(*run, "Labels");
  }
  if (const nlohmann::json* rootfs = FieldOf(document, "rootfs")) {
    config.diff_ids = TextsOf(*rootfs, "diff_ids");
  }
  for (const std::string& diff_id : config.diff_ids) {
    if (!IsDigest(diff_id)) {
      return Error{Code::kInvalidArgument, "malformed image config: \"" + diff_id +
                                               "\" in rootfs.diff_ids is not a sha256 digest"};
    }
  }
  return config;
}

}  // namespace updraft::node_agent
