#include "core/api/defaults.h"

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/canonical.h"
#include "core/api/claim.h"
#include "core/api/constants.h"
#include "core/api/meta.h"

namespace updraft::api {
namespace {

// The same revision name of the user's as before.
bool KeepsRevisionName(const Json& object, const WriteContext& context) {
  if (context.old == nullptr) return false;
  const std::string name = StringAt(object, {"spec", "template", "metadata", "name"});
  return !name.empty() && name == StringAt(*context.old, {"spec", "template", "metadata", "name"});
}

// New defaults must not change the template of a revision that exists, so Knative sets none where
// the name stays. A manifest that gives the stored template once it is defaulted means that
// template.
void KeepTemplate(const Kind& kind, Json& object, const WriteContext& context) {
  Json stored = *context.old;
  MakeSpecCanonical(kind, stored);
  const Json& old = ObjectAt(stored, {"spec", "template"});
  Json defaulted = ObjectAt(object, {"spec", "template"});
  SetRevisionSpecDefaults(EnsureObject(defaulted, {"spec"}), object, *context.config, true);
  if (defaulted == old) object["spec"]["template"] = old;
}

void SetTemplateDefaults(const Kind& kind, Json& object, const WriteContext& context, bool create) {
  if (KeepsRevisionName(object, context)) return KeepTemplate(kind, object, context);
  Json spec = std::move(EnsureObject(object, {"spec", "template", "spec"}));
  SetRevisionSpecDefaults(spec, object, *context.config, create);
  object["spec"]["template"]["spec"] = std::move(spec);
}

void SetTrafficDefaults(Json& object, bool service) {
  Json& spec = EnsureObject(object, {"spec"});
  if (service && ArrayAt(spec, {"traffic"}).empty()) {
    Json target = Json::object();
    target["latestRevision"] = true;
    target["percent"] = 100;
    spec["traffic"] = Json::array({std::move(target)});
  }
  Json* traffic = Find(spec, {"traffic"});
  if (traffic == nullptr || !traffic->is_array()) return;
  for (Json& target : *traffic) {
    if (!target.is_object()) continue;
    if (Find(target, {"latestRevision"}) == nullptr) {
      target["latestRevision"] = StringAt(target, {"revisionName"}).empty();
    }
    if (Find(target, {"percent"}) == nullptr) target["percent"] = 0;
  }
}

bool IsOwned(const Json& object) {
  return !ArrayAt(object, {"metadata", "ownerReferences"}).empty();
}

void SetSpecDefaults(const Kind& kind, Json& object, const WriteContext& context, bool create) {
  MakeSpecCanonical(kind, object);
  if (kind.kind == "Service" || kind.kind == "Configuration")
    SetTemplateDefaults(kind, object, context, create);
  if (kind.kind == "Service" || kind.kind == "Route")
    SetTrafficDefaults(object, kind.kind == "Service");
  if (kind.kind == "DomainMapping") {
    Json& reference = EnsureObject(object, {"spec", "ref"});
    if (StringAt(reference, {"namespace"}).empty()) reference["namespace"] = NamespaceOf(object);
  }
  if (kind.kind == "Revision" && context.old == nullptr)
    SetRevisionSpecDefaults(EnsureObject(object, {"spec"}), nullptr, *context.config, create);
}

// That the configuration has other defaults than when `old` was stored is no change of the user's.
bool ChangesSpec(const Kind& kind, const Json& object, const WriteContext& context) {
  if (ObjectAt(object, {"spec"}) == ObjectAt(*context.old, {"spec"})) return false;
  Json old = *context.old;
  SetSpecDefaults(kind, old, {.config = context.config, .user = {}}, false);
  return ObjectAt(object, {"spec"}) != ObjectAt(old, {"spec"});
}

void SetUserAnnotations(const Kind& kind, Json& object, const WriteContext& context) {
  if (context.user.empty()) return;
  if (context.old == nullptr) {
    SetAnnotation(object, kCreatorAnnotation, context.user);
    SetAnnotation(object, kLastModifierAnnotation, context.user);
  } else if (ChangesSpec(kind, object, context)) {
    SetAnnotation(object, kLastModifierAnnotation, context.user);
  }
}

void SetServingDefaults(const Kind& kind, Json& object, const WriteContext& context) {
  SetSpecDefaults(kind, object, context, context.old == nullptr);
  const bool copied = (kind.kind == "Configuration" || kind.kind == "Route") && IsOwned(object);
  if (kind.kind != "Revision" && !copied) SetUserAnnotations(kind, object, context);
}

void SetNamespaceDefaults(Json& object) {
  SetLabel(object, "kubernetes.io/metadata.name", NameOf(object));
  Json& spec = EnsureObject(object, {"spec"});
  if (Find(spec, {"finalizers"}) == nullptr && !IsBeingDeleted(object))
    spec["finalizers"] = Json::array({"kubernetes"});
  Json& status = EnsureObject(object, {"status"});
  if (Find(status, {"phase"}) == nullptr) status["phase"] = "Active";
}

void SetSecretDefaults(Json& object) {
  if (StringAt(object, {"type"}).empty()) object["type"] = "Opaque";
  const Json texts = ObjectAt(object, {"stringData"});
  for (const auto& [key, value] : texts.items()) {
    if (value.is_string())
      EnsureObject(object, {"data"})[key] = EncodeBase64(value.get_ref<const std::string&>());
  }
  object.erase("stringData");
}

}  // namespace

void SetDefaults(const Kind& kind, Json& object, const WriteContext& context) {
  if (kind.group == kServingGroup) return SetServingDefaults(kind, object, context);
  if (kind.kind == "Namespace") SetNamespaceDefaults(object);
  if (kind.kind == "Secret") SetSecretDefaults(object);
  if (kind.kind == "PersistentVolumeClaim") SetClaimDefaults(object);
}

}  // namespace updraft::api
