#include "node-agent/spec/oci_spec.h"

#include <string_view>

#include "core/base/check.h"
#include "node-agent/spec/resources.h"
#include "node-agent/spec/seccomp.h"

namespace updraft::node_agent {
namespace {

constexpr std::string_view kShimGroup = "io.containerd.runc.v2.group";
constexpr std::string_view kCrunSeccompBpf = "run.oci.seccomp_bpf_data";

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

nlohmann::json Process(const OciSpecInput& input, const std::vector<std::string>& arguments, const HostFacts& host) {
  nlohmann::json user = {{"uid", input.user.uid}, {"gid", input.user.gid}};
  if (!input.user.additional_gids.empty()) user["additionalGids"] = input.user.additional_gids;
  const v1::Container& container = *input.container;
  return {
      {"terminal", false},
      {"user", std::move(user)},
      {"args", arguments},
      {"env", Environment(container, input.image, input.instance->instance_id())},
      {"cwd", WorkingDirectory(container, input.image)},
      {"capabilities",
       {{"bounding", input.capabilities}, {"effective", input.capabilities}, {"permitted", input.capabilities}}},
      {"rlimits", Rlimits(host)},
      {"noNewPrivileges", !container.security().allow_privilege_escalation()},
      {"oomScoreAdj", OomScoreAdjust(container.resources(), host)},
  };
}

nlohmann::json Namespaces(const OciSpecInput& input, const HostFacts& host) {
  nlohmann::json namespaces = nlohmann::json::array({
      {{"type", "pid"}},
      {{"type", "ipc"}},
      {{"type", "uts"}},
      {{"type", "mount"}},
      {{"type", "network"}, {"path", input.network_namespace}},
  });
  // On v1 the runtimes show the container its own cgroups by bind mounts, which needs no namespace.
  if (host.cgroups == CgroupLayout::kUnified) namespaces.push_back({{"type", "cgroup"}});
  return namespaces;
}

nlohmann::json ReadOnlyPathsOn(const HostFacts& host) {
  nlohmann::json paths = ReadOnlyPaths();
  // On v1 the runtimes make the hierarchies read-only, but leave the tmpfs that they are mounted on writable.
  if (host.cgroups != CgroupLayout::kUnified) paths.push_back("/sys/fs/cgroup");
  return paths;
}

nlohmann::json Linux(const OciSpecInput& input, const HostFacts& host) {
  nlohmann::json linux_part = {
      {"cgroupsPath", input.cgroup_parent + "/" + input.container_id},
      {"resources", CgroupResources(input.container->resources(), host)},
      {"namespaces", Namespaces(input, host)},
      {"maskedPaths", MaskedPaths()},
      {"readonlyPaths", ReadOnlyPathsOn(host)},
  };
  if (!input.container->security().seccomp_unconfined()) {
    // With the compiled policy in the annotation crun needs no more than the object to be there. A runtime that
    // does not know the annotation then allows nothing at all, rather than everything.
    linux_part["seccomp"] = input.seccomp_bpf.empty()
                                ? SeccompJson(DefaultSeccompPolicy(input.capabilities, host.architecture))
                                : nlohmann::json{{"defaultAction", "SCMP_ACT_ERRNO"}};
  }
  return linux_part;
}

nlohmann::json Annotations(const OciSpecInput& input) {
  nlohmann::json annotations = nlohmann::json::object();
  if (!input.shim_group.empty()) annotations[kShimGroup] = input.shim_group;
  if (!input.seccomp_bpf.empty() && !input.container->security().seccomp_unconfined()) {
    annotations[kCrunSeccompBpf] = Base64(input.seccomp_bpf);
  }
  return annotations;
}

}  // namespace

Result<nlohmann::json> OciSpec(const OciSpecInput& input, const HostFacts& host) {
  UPDRAFT_CHECK(input.instance != nullptr && input.container != nullptr);
  const Result<std::vector<std::string>> arguments = Arguments(*input.container, input.image);
  if (!arguments) return arguments.error();
  Result<nlohmann::json> mounts = Mounts(*input.container, input.mounts);
  if (!mounts) return mounts.error();
  nlohmann::json spec = {
      {"ociVersion", "1.0.2"},
      {"process", Process(input, *arguments, host)},
      {"root", {{"path", "rootfs"}, {"readonly", input.container->security().read_only_root()}}},
      {"hostname", input.instance->instance_id()},
      {"mounts", std::move(*mounts)},
      {"linux", Linux(input, host)},
  };
  if (nlohmann::json annotations = Annotations(input); !annotations.empty()) {
    spec["annotations"] = std::move(annotations);
  }
  return spec;
}

}  // namespace updraft::node_agent
