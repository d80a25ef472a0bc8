#include "core/api/access.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"

namespace updraft::api {
namespace {

// As Go's path.Clean: no empty, "." and ".." parts, no slash at the end.
std::string CleanPath(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    const bool up = part == "..";
    if (up && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!up || !absolute) {
      parts.push_back(part);
    }
  }
  std::string clean;
  for (std::string_view part : parts)
    clean += (clean.empty() && !absolute ? "" : "/") + std::string(part);
  if (clean.empty()) return absolute ? "/" : ".";
  return clean;
}

FieldErrors ValidatePath(const std::string& path, std::set<std::string>& seen) {
  if (path.empty()) return MissingField({"mountPath"});
  const std::string clean = CleanPath(path);
  const bool first = seen.insert(clean).second;
  if (clean == "/" || clean == "/dev" || clean == "/dev/log") {
    return Generic("mountPath " + Quoted(clean) + " is a reserved path", {"mountPath"});
  }
  if (!path.starts_with('/')) return InvalidValue(path, "mountPath");
  if (!first) return InvalidValue(Quoted(path) + " must be unique", "mountPath");
  return {};
}

FieldErrors ValidatePropagation(const Json& mount, const Features& features) {
  const Json* propagation = Find(mount, {"mountPropagation"});
  if (propagation == nullptr) return {};
  FieldErrors errors;
  if (!features.Enabled("kubernetes.podspec-volumes-mount-propagation")) {
    errors.Add(Generic("Volume Mount Propagation support is disabled, but found volume mount " +
                           StringAt(mount, {"name"}) + " with mount propagation",
                       {}));
  }
  if (*propagation != "None" && *propagation != "HostToContainer") {
    errors.Add(Generic("mount propagation should be set to None or HostToContainer",
                       {"mountPropagation"}));
  }
  return errors;
}

bool Writable(const Json& volume) {
  for (const char* source : {"emptyDir", "persistentVolumeClaim", "ephemeral"}) {
    if (Find(volume, {source}) != nullptr) return true;
  }
  return false;
}

}  // namespace

FieldErrors ValidateMounts(const Json& mounts, const VolumesByName& volumes,
                           const Features& features) {
  FieldErrors errors;
  std::set<std::string> paths;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const Json& mount = mounts[i];
    FieldErrors found =
        CheckAllowed(mount,
                     {{"name"},
                      {"readOnly"},
                      {"mountPath"},
                      {"subPath"},
                      {"mountPropagation", "kubernetes.podspec-volumes-mount-propagation"}},
                     features);
    const auto volume = volumes.find(StringAt(mount, {"name"}));
    const Json none = Json::object();
    const Json& source = volume == volumes.end() ? none : *volume->second;
    if (volume == volumes.end()) found.Add(Generic("volumeMount has no matching volume", {"name"}));
    found.Add(ValidatePath(StringAt(mount, {"mountPath"}), paths));
    const bool read_only = BoolAt(mount, {"readOnly"});
    if (!Writable(source) && !read_only) {
      found.Add(Generic("volume mount should be readOnly for this type of volume", {"readOnly"}));
    }
    found.Add(ValidatePropagation(mount, features));
    if (BoolAt(source, {"persistentVolumeClaim", "readOnly"}) && !read_only) {
      found.Add(Generic("volume is readOnly but volume mount is not", {"readOnly"}));
    }
    errors.Add(found.ViaIndex(i));
  }
  return errors;
}

}  // namespace updraft::api
