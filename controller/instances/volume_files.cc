#include "controller/instances/volume_files.h"

#include "controller/instances/downward.h"
#include "controller/instances/named_entries.h"
#include "core/api/access.h"
#include "core/api/claim.h"
#include "core/api/meta.h"
#include "core/api/quantity.h"

namespace updraft::controller {
namespace {

constexpr int64_t kFileMode = 0644;
constexpr int64_t kModeMax = 0777;

struct FileSource {
  const Json& json;  // {name or secretName, items, optional}
  EntrySource source = EntrySource::kConfigMap;
  std::string_view name_member;
  int64_t default_mode = kFileMode;
};

void AddFile(const std::string& volume, std::string path, std::string content, int64_t mode,
             v1::InstanceSpec& out) {
  v1::VolumeFile& file = *out.add_files();
  file.set_volume(volume);
  file.set_path(std::move(path));
  file.set_content(std::move(content));
  file.set_mode(static_cast<uint32_t>(mode & kModeMax));
}

Status AddFiles(const std::string& volume, const FileSource& from, const NamedObjects& named,
                v1::InstanceSpec& out) {
  const auto entries = FindEntries(from.json, from.source, from.name_member, named);
  if (!entries) return entries.error();
  const Json& items = api::ArrayAt(from.json, {"items"});
  if (items.empty()) {
    for (const auto& [key, content] : *entries)
      AddFile(volume, key, content, from.default_mode, out);
    return Ok();
  }
  for (const Json& item : items) {
    const std::string key = api::StringAt(item, {"key"});
    const auto it = entries->find(key);
    if (it != entries->end()) {
      AddFile(volume, api::StringAt(item, {"path"}, key), it->second,
              api::IntAt(item, {"mode"}, from.default_mode), out);
    } else if (!api::BoolAt(from.json, {"optional"})) {
      return Error{Code::kFailedPrecondition, "references non-existent key \"" + key + "\" of " +
                                                  api::StringAt(from.json, {from.name_member})};
    }
  }
  return Ok();
}

// What a volume is made of, beside the volume itself.
struct VolumeContext {
  const Json& pod_spec;
  const NamedObjects& named;
  const DownwardFields& fields;
};

Status AddFields(const std::string& volume, const Json& downward, int64_t mode,
                 const VolumeContext& context, v1::InstanceSpec& out) {
  for (const Json& item : api::ArrayAt(downward, {"items"})) {
    Result<std::string> text = context.fields(item, "");
    if (!text) return text.error();
    AddFile(volume, api::StringAt(item, {"path"}), std::move(*text),
            api::IntAt(item, {"mode"}, mode), out);
  }
  return Ok();
}

Status AddProjected(const std::string& volume, const Json& projected, const VolumeContext& context,
                    v1::InstanceSpec& out) {
  const int64_t mode = api::IntAt(projected, {"defaultMode"}, kFileMode);
  for (const Json& source : api::ArrayAt(projected, {"sources"})) {
    Status added = Ok();
    if (const Json* secret = api::Find(source, {"secret"})) {
      added = AddFiles(volume, {*secret, EntrySource::kSecret, "name", mode}, context.named, out);
    } else if (const Json* map = api::Find(source, {"configMap"})) {
      added = AddFiles(volume, {*map, EntrySource::kConfigMap, "name", mode}, context.named, out);
    } else if (const Json* downward = api::Find(source, {"downwardAPI"})) {
      added = AddFields(volume, *downward, mode, context, out);
    } else if (const Json* token = api::Find(source, {"serviceAccountToken"})) {
      AddFile(volume, api::StringAt(*token, {"path"}),
              ServiceAccountToken(*token, out, context.pod_spec), mode, out);
    } else {
      added = Error{Code::kFailedPrecondition, "has a source that Updraft cannot provide"};
    }
    if (!added) return added;
  }
  return Ok();
}

Status AddEmptyDir(const std::string& volume, const Json& empty_dir, v1::InstanceSpec& out) {
  v1::EmptyDir& directory = *out.add_empty_dirs();
  directory.set_volume(volume);
  directory.set_memory(api::StringAt(empty_dir, {"medium"}) == "Memory");
  const Json* limit = api::Find(empty_dir, {"sizeLimit"});
  if (limit == nullptr) return Ok();
  const auto bytes = api::Quantity::FromJson(*limit);
  if (!bytes) return Error{Code::kInvalidArgument, "sizeLimit is not a quantity"};
  directory.set_size_limit_bytes(bytes->Value());
  directory.set_size_limit(limit->is_string() ? limit->get<std::string>() : limit->dump());
  return Ok();
}

Status AddClaim(const std::string& volume, const Json& source, const VolumeContext& context,
                v1::InstanceSpec& out) {
  const std::string name = api::StringAt(source, {"claimName"});
  const auto claim = context.named.claim ? context.named.claim(name) : nullptr;
  const std::string what = "persistentvolumeclaim \"" + name + "\"";
  if (!claim) return Error{Code::kFailedPrecondition, what + " not found"};
  if (api::IsBeingDeleted(*claim))
    return Error{Code::kFailedPrecondition, what + " is being deleted"};
  if (!api::IsBound(*claim)) return Error{Code::kFailedPrecondition, what + " is not bound"};
  v1::ClaimVolume& added = *out.add_claims();
  added.set_volume(volume);
  added.set_directory(api::VolumeOfClaim(*claim));
  added.set_read_only(api::BoolAt(source, {"readOnly"}));
  return Ok();
}

Status AddVolume(const std::string& name, const Json& volume, const VolumeContext& context,
                 v1::InstanceSpec& out) {
  if (const Json* secret = api::Find(volume, {"secret"})) {
    const int64_t mode = api::IntAt(*secret, {"defaultMode"}, kFileMode);
    return AddFiles(name, {*secret, EntrySource::kSecret, "secretName", mode}, context.named, out);
  }
  if (const Json* map = api::Find(volume, {"configMap"})) {
    const int64_t mode = api::IntAt(*map, {"defaultMode"}, kFileMode);
    return AddFiles(name, {*map, EntrySource::kConfigMap, "name", mode}, context.named, out);
  }
  if (const Json* projected = api::Find(volume, {"projected"}))
    return AddProjected(name, *projected, context, out);
  if (const Json* empty_dir = api::Find(volume, {"emptyDir"}))
    return AddEmptyDir(name, *empty_dir, out);
  if (const Json* claim = api::Find(volume, {"persistentVolumeClaim"}))
    return AddClaim(name, *claim, context, out);
  return Error{Code::kFailedPrecondition, "has no source that Updraft can provide"};
}

}  // namespace

Status ReadVolumes(const Json& pod_spec, const NamedObjects& named, const DownwardFields& fields,
                   v1::InstanceSpec& out) {
  const VolumeContext context{.pod_spec = pod_spec, .named = named, .fields = fields};
  for (const Json& volume : api::ArrayAt(pod_spec, {"volumes"})) {
    const std::string name = api::StringAt(volume, {"name"});
    const auto size = [&out] {
      return out.files_size() + out.empty_dirs_size() + out.claims_size();
    };
    const int before = size();
    const Status added = AddVolume(name, volume, context, out);
    if (!added) return Context("volume \"" + name + "\"", added.error());
    // All that it names is optional and not there: it is an empty one.
    if (size() == before) out.add_empty_dirs()->set_volume(name);
  }
  return Ok();
}

}  // namespace updraft::controller
