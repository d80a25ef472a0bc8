#include <algorithm>

#include "core/api/access.h"
#include "core/api/names.h"
#include "core/api/quantity.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"

namespace updraft::api {
namespace {

// The sources that Knative knows of, the features that they need, and their names in messages.
struct Source {
  std::string_view field;
  std::string_view feature = {};
  std::string_view title = {};
};

constexpr Source kSources[] = {
    {"secret"},
    {"configMap"},
    {"projected"},
    {"emptyDir", "kubernetes.podspec-volumes-emptydir", "EmptyDir"},
    {"persistentVolumeClaim", "kubernetes.podspec-persistent-volume-claim"},
    {"hostPath", "kubernetes.podspec-volumes-hostpath", "HostPath"},
    {"csi", "kubernetes.podspec-volumes-csi", "CSI"},
    {"ephemeral", "kubernetes.podspec-volumes-ephemeral", "Ephemeral"},
    {"image", "kubernetes.podspec-volumes-image", "Image"}};

FieldErrors ValidateKeys(const Json& items, const Features& features) {
  FieldErrors errors;
  for (size_t i = 0; i < items.size(); ++i) {
    FieldErrors item = CheckAllowed(items[i], {{"key"}, {"path"}, {"mode"}}, features);
    if (StringAt(items[i], {"key"}).empty()) item.Add(MissingField({"key"}));
    if (StringAt(items[i], {"path"}).empty()) item.Add(MissingField({"path"}));
    errors.Add(item.ViaFieldIndex("items", i));
  }
  return errors;
}

FieldErrors ValidateObjectProjection(const Json& source, const Features& features) {
  FieldErrors errors = CheckAllowed(source, {{"name"}, {"items"}, {"optional"}}, features);
  if (StringAt(source, {"name"}).empty()) errors.Add(MissingField({"name"}));
  errors.Add(ValidateKeys(ArrayAt(source, {"items"}), features));
  return errors;
}

FieldErrors ValidateDownwardApi(const Json& source) {
  FieldErrors errors;
  const Json& items = ArrayAt(source, {"items"});
  for (size_t i = 0; i < items.size(); ++i) {
    FieldErrors item;
    const bool field = Find(items[i], {"fieldRef"}) != nullptr;
    const bool resource = Find(items[i], {"resourceFieldRef"}) != nullptr;
    if (!field && !resource) item.Add(MissingOneOf({"fieldRef", "resourceFieldRef"}));
    if (field && resource)
      item.Add(Generic("Within a single item, cannot set both", {"resourceFieldRef", "fieldRef"}));
    if (StringAt(items[i], {"path"}).empty()) item.Add(MissingField({"path"}));
    errors.Add(item.ViaFieldIndex("items", i));
  }
  return errors;
}

FieldErrors ValidateProjection(const Json& source, const Features& features) {
  FieldErrors errors = CheckAllowed(
      source, {{"secret"}, {"configMap"}, {"serviceAccountToken"}, {"downwardAPI"}}, features);
  std::vector<std::string> given;
  for (const char* field : {"secret", "configMap", "serviceAccountToken", "downwardAPI"}) {
    const Json* found = Find(source, {field});
    if (found == nullptr) continue;
    given.emplace_back(field);
    const std::string_view name = field;
    FieldErrors inner;
    if (name == "secret" || name == "configMap") inner = ValidateObjectProjection(*found, features);
    if (name == "serviceAccountToken" && StringAt(*found, {"path"}).empty())
      inner = MissingField({"path"});
    if (name == "downwardAPI") inner = ValidateDownwardApi(*found);
    errors.Add(inner.ViaField(field));
  }
  if (given.empty())
    errors.Add(MissingOneOf({"secret", "configMap", "serviceAccountToken", "downwardAPI"}));
  if (given.size() > 1) errors.Add(MultipleOneOf(std::move(given)));
  return errors;
}

FieldErrors ValidateEmptyDir(const Json& dir) {
  FieldErrors errors;
  const std::string medium = StringAt(dir, {"medium"});
  if (!medium.empty() && medium != "Memory") errors.Add(InvalidValue(medium, "medium"));
  if (const Json* limit = Find(dir, {"sizeLimit"})) {
    const auto amount = Quantity::FromJson(*limit);
    const std::string text = limit->is_string() ? limit->get<std::string>() : limit->dump();
    if (!amount || amount->Value() < 0) errors.Add(InvalidValue(text, "sizeLimit"));
  }
  return errors;
}

FieldErrors ValidateImageVolume(const Json& image, const Features& features) {
  FieldErrors errors = CheckAllowed(image, {{"reference"}, {"pullPolicy"}}, features);
  if (StringAt(image, {"reference"}).empty()) errors.Add(MissingField({"reference"}));
  const std::string policy = StringAt(image, {"pullPolicy"});
  const bool known =
      policy.empty() || policy == "IfNotPresent" || policy == "Always" || policy == "Never";
  if (!known) errors.Add(InvalidValue(policy, "pullPolicy"));
  return errors;
}

// Gates that need Enabled, where the mask is content with Allowed.
FieldErrors ValidateGates(const Json& volume, const Features& features) {
  FieldErrors errors;
  const std::string name = StringAt(volume, {"name"});
  if (const Json* claim = Find(volume, {"persistentVolumeClaim"})) {
    const std::string claim_name = StringAt(*claim, {"claimName"});
    if (!features.Enabled("kubernetes.podspec-persistent-volume-claim")) {
      errors.Add(Generic(
          "Persistent volume claim support is disabled, but found persistent volume claim " +
              claim_name,
          {}));
    }
    if (!BoolAt(*claim, {"readOnly"}) &&
        !features.Enabled("kubernetes.podspec-persistent-volume-write")) {
      errors.Add(Generic(
          "Persistent volume write support is disabled, but found persistent volume claim " +
              claim_name + " that is not read-only",
          {}));
    }
  }
  for (const Source& source : kSources) {
    if (source.title.empty() || Find(volume, {source.field}) == nullptr ||
        features.Enabled(source.feature))
      continue;
    std::string message(source.title);
    message.append(" volume support is disabled, but found ");
    message.append(source.title).append(" volume ").append(name);
    errors.Add(Generic(message, {}));
  }
  return errors;
}

FieldErrors ValidateSource(std::string_view field, const Json& source, const Features& features) {
  if (field == "secret" || field == "configMap")
    return ValidateKeys(ArrayAt(source, {"items"}), features);
  if (field == "emptyDir") return ValidateEmptyDir(source).ViaField("emptyDir");
  if (field == "image") return ValidateImageVolume(source, features).ViaField("image");
  FieldErrors errors;
  if (field == "projected") {
    const Json& sources = ArrayAt(source, {"sources"});
    for (size_t i = 0; i < sources.size(); ++i) {
      errors.Add(ValidateProjection(sources[i], features).ViaFieldIndex("projected", i));
    }
  }
  return errors;
}

FieldErrors ValidateVolume(const Json& volume, const Features& features) {
  FieldErrors errors = ValidateGates(volume, features);
  const std::string name = StringAt(volume, {"name"});
  if (name.empty()) {
    errors = MissingField({"name"});
  } else if (!CheckDns1123Label(name).empty()) {
    errors = InvalidValue(name, "name");
  }
  errors.Add(CheckAllowed(volume,
                          {{"name"},
                           {"secret"},
                           {"configMap"},
                           {"projected"},
                           {"emptyDir", "kubernetes.podspec-volumes-emptydir"},
                           {"persistentVolumeClaim", "kubernetes.podspec-persistent-volume-claim"},
                           {"hostPath", "kubernetes.podspec-volumes-hostpath"},
                           {"csi", "kubernetes.podspec-volumes-csi"},
                           {"ephemeral", "kubernetes.podspec-volumes-ephemeral"},
                           {"image", "kubernetes.podspec-volumes-image"}},
                          features));
  std::vector<std::string> given;
  std::vector<std::string> possible;
  for (const Source& source : kSources) {
    if (source.feature.empty() || features.Enabled(source.feature))
      possible.emplace_back(source.field);
    const Json* found = Find(volume, {source.field});
    if (found == nullptr) continue;
    given.emplace_back(source.field);
    errors.Add(ValidateSource(source.field, *found, features));
  }
  if (given.empty()) errors.Add(MissingOneOf(std::move(possible)));
  if (given.size() > 1) errors.Add(MultipleOneOf(std::move(given)));
  return errors;
}

}  // namespace

FieldErrors ValidateVolumes(const Json& volumes, const std::set<std::string>& mounted,
                            const Features& features) {
  FieldErrors errors;
  std::set<std::string> seen;
  for (size_t i = 0; i < volumes.size(); ++i) {
    const std::string name = StringAt(volumes[i], {"name"});
    FieldErrors volume;
    if (!seen.insert(name).second)
      volume.Add(Generic("duplicate volume name " + Quoted(name), {"name"}));
    if (!mounted.contains(name))
      volume.Add(Generic("volume with name " + Quoted(name) + " not mounted", {"name"}));
    volume.Add(ValidateVolume(volumes[i], features));
    errors.Add(volume.ViaIndex(i));
  }
  return errors;
}

}  // namespace updraft::api
