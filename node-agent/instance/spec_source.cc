#include "node-agent/instance/spec_source.h"

#include "core/base/log.h"
#include "node-agent/containerd/snapshot_files.h"
#include "node-agent/spec/capabilities.h"
#include "node-agent/spec/node_fields.h"
#include "node-agent/spec/seccomp.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kUserFileBytesMax = 4 << 20;
constexpr size_t kImagesRememberedMax = 1000;
constexpr size_t kProfilesRememberedMax = 100;

Result<UserFiles> ReadUserFiles(const std::vector<SnapshotMount>& root) {
  const Result<std::vector<std::string>> layers = LayerDirectories(root);
  if (!layers) return layers.error();
  const auto passwd = ReadSnapshotFile(*layers, "/etc/passwd", kUserFileBytesMax);
  if (!passwd) return passwd.error();
  const auto group = ReadSnapshotFile(*layers, "/etc/group", kUserFileBytesMax);
  if (!group) return group.error();
  return UserFiles{.passwd = passwd->value_or(""), .group = group->value_or("")};
}

UserRequest UserRequestOf(const RunRequest& request) {
  const v1::SecurityContext& security = request.container->security();
  UserRequest user;
  user.image_user = request.image->config.user;
  if (security.has_run_as_user()) user.run_as_user = security.run_as_user();
  if (security.has_run_as_group()) user.run_as_group = security.run_as_group();
  user.run_as_non_root = security.run_as_non_root();
  user.pod = request.instance->instance_id() + "_" + request.instance->namespace_();
  user.container = request.container->name();
  return user;
}

}  // namespace

SpecSource::SpecSource(SpecSourceOptions options, HostFacts host, const RunFiles& files)
    : options_(std::move(options)), host_(std::move(host)), files_(files) {
  if (options_.compiled_seccomp) {
    // The profile that nearly every container has, before the first one waits for it.
    const auto capabilities = GrantedCapabilities({}, host_.capabilities);
    if (capabilities) CompiledSeccomp(*capabilities);
  }
}

Status SpecSource::Learn(const UsableImage& image, const std::vector<SnapshotMount>& root) {
  Result<UserFiles> files = ReadUserFiles(root);
  if (!files) return Context("users of the image", files.error());
  if (users_.size() >= kImagesRememberedMax) users_.clear();
  users_[image.root] = std::move(*files);
  return Ok();
}

std::string SpecSource::CompiledSeccomp(const std::vector<std::string>& capabilities) {
  if (const auto known = seccomp_.find(capabilities); known != seccomp_.end()) return known->second;
  Result<std::string> compiled = CompileSeccomp(DefaultSeccompPolicy(capabilities, host_.architecture));
  if (!compiled) {
    Log(Level::kWarn, "seccomp_not_compiled", {{"error", compiled.error().message}});
  }
  if (seccomp_.size() >= kProfilesRememberedMax) seccomp_.clear();
  return seccomp_[capabilities] = compiled ? std::move(*compiled) : "";  // empty: the runtime does it
}

Result<RunSpec> SpecSource::Make(const RunRequest& request) {
  const Result<ResolvedUser> user = ResolveUser(UserRequestOf(request), users_.at(request.image->root));
  if (!user) return user.error();
  const v1::SecurityContext& security = request.container->security();
  const Result<std::vector<std::string>> capabilities =
      GrantedCapabilities({.add = {security.add_capabilities().begin(), security.add_capabilities().end()},
                           .drop = {security.drop_capabilities().begin(), security.drop_capabilities().end()}},
                          host_.capabilities);
  if (!capabilities) return capabilities.error();
  Result<MountSources> sources = files_.Sources(*request.instance, *request.container);
  if (!sources) return sources.error();

  OciSpecInput input;
  input.instance = request.instance;
  input.container = request.container;
  v1::Container filled;
  if (request.instance->node_marks()) {
    filled = WithNodeFields(*request.container,
                            {.node_name = options_.node_name, .host_ip = options_.host_ip, .pod_ip = request.network.ip});
    input.container = &filled;
  }
  input.image = request.image->config;
  input.user = *user;
  input.capabilities = *capabilities;
  input.container_id = request.container_id;
  input.cgroup_parent = options_.cgroup_parent;
  input.network_namespace = request.network.namespace_path;
  input.mounts = std::move(*sources);
  if (options_.compiled_seccomp && !security.seccomp_unconfined()) input.seccomp_bpf = CompiledSeccomp(*capabilities);
  if (options_.shim_sharing == ShimSharing::kPerRevision) {
    input.shim_group = request.instance->namespace_() + "/" + request.instance->revision();
  }
  Result<nlohmann::json> oci = OciSpec(input, host_);
  if (!oci) return oci.error();
  Result<std::vector<PinnedMount>> pinned = files_.Pin(*request.instance, *request.container);
  if (!pinned) return pinned.error();
  return RunSpec{.oci = *std::move(oci), .pinned = *std::move(pinned)};
}

}  // namespace updraft::node_agent
