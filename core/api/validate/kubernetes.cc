// Kubernetes' own rules: metadata of every kind, and the content of core kinds.
#include <algorithm>
#include <iterator>

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/claim.h"
#include "core/api/constants.h"
#include "core/api/field_error.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

constexpr size_t kAnnotationBytesMax = 256 << 10;
constexpr size_t kDataBytesMax = 1 << 20;

using Problems = std::vector<FieldProblem>;

FieldProblem Invalid(std::string field, const std::string& value, const std::string& why) {
  return {"FieldValueInvalid", std::move(field), "Invalid value: " + Quoted(value) + ": " + why};
}

FieldProblem Forbidden(std::string field, const std::string& why) {
  return {"FieldValueForbidden", std::move(field), "Forbidden: " + why};
}

FieldProblem Required(std::string field, const std::string& why) {
  return {"FieldValueRequired", std::move(field),
          why.empty() ? "Required value" : "Required value: " + why};
}

FieldProblem TooLong(std::string field, size_t most) {
  return {"FieldValueTooLong", std::move(field),
          "Too long: may not be more than " + std::to_string(most) + " bytes"};
}

void AddAll(const std::string& field, const std::string& value, const Complaints& complaints,
            Problems& problems) {
  for (const std::string& complaint : complaints)
    problems.push_back(Invalid(field, value, complaint));
}

void CheckName(const Kind& kind, const Json& object, Problems& problems) {
  if (kind.group == kServingGroup) return;
  const std::string name = NameOf(object);
  if (name.empty()) {
    problems.push_back(Required("metadata.name", "name or generateName is required"));
  } else if (kind.kind == "Namespace") {
    AddAll("metadata.name", name, CheckDns1123Label(name), problems);
  } else {
    AddAll("metadata.name", name, CheckDns1123Subdomain(name), problems);
  }
}

void CheckLabels(const Json& object, Problems& problems) {
  for (const auto& [key, value] : ObjectAt(object, {"metadata", "labels"}).items()) {
    AddAll("metadata.labels", key, CheckQualifiedName(key), problems);
    if (value.is_string())
      AddAll("metadata.labels", value.get<std::string>(), CheckLabelValue(value.get<std::string>()),
             problems);
  }
}

void CheckAnnotations(const Json& object, Problems& problems) {
  size_t bytes = 0;
  for (const auto& [key, value] : ObjectAt(object, {"metadata", "annotations"}).items()) {
    std::string lower = key;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    AddAll("metadata.annotations", key, CheckQualifiedName(lower), problems);
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  if (bytes > kAnnotationBytesMax)
    problems.push_back(TooLong("metadata.annotations", kAnnotationBytesMax));
}

void CheckOwners(const Json& object, Problems& problems) {
  std::string controller;
  for (const OwnerReference& owner : OwnersOf(object)) {
    const std::string field = "metadata.ownerReferences";
    if (owner.api_version.empty())
      problems.push_back(Invalid(field + ".apiVersion", "", "version must not be empty"));
    if (owner.kind.empty()) problems.push_back(Invalid(field + ".kind", "", "must not be empty"));
    if (owner.name.empty()) problems.push_back(Invalid(field + ".name", "", "must not be empty"));
    if (owner.uid.empty()) problems.push_back(Invalid(field + ".uid", "", "must not be empty"));
    if (!owner.controller) continue;
    if (!controller.empty()) {
      problems.push_back(
          {"FieldValueInvalid", field,
           "Invalid value: Only one reference can have Controller set to true. Found \"true\" in "
           "references for " +
               controller + " and " + owner.kind + "/" + owner.name});
    }
    controller = owner.kind + "/" + owner.name;
  }
}

void CheckFinalizers(const Json& object, const Json* old, Problems& problems) {
  for (const Json& finalizer : ArrayAt(object, {"metadata", "finalizers"})) {
    if (!finalizer.is_string()) continue;
    const auto& name = finalizer.get_ref<const std::string&>();
    AddAll("metadata.finalizers", name, CheckQualifiedName(name), problems);
    if (old != nullptr && IsBeingDeleted(*old) && !HasFinalizer(*old, name)) {
      problems.push_back(Forbidden(
          "metadata.finalizers",
          "no new finalizers can be added if the object is being deleted, found new finalizers "
          "[]string{" +
              Quoted(name) + "}"));
    }
  }
}

void CheckKeys(const Json& object, const char* field, size_t& bytes, Problems& problems) {
  for (const auto& [key, value] : ObjectAt(object, {field}).items()) {
    const std::string path = std::string(field) + "[" + key + "]";
    AddAll(path, key, CheckConfigMapKey(key), problems);
    if (value.is_string()) bytes += value.get_ref<const std::string&>().size();
  }
}

void CheckBase64(const Json& object, const char* field, Problems& problems) {
  for (const auto& [key, value] : ObjectAt(object, {field}).items()) {
    if (value.is_string() && DecodeBase64(value.get_ref<const std::string&>())) continue;
    problems.push_back({"FieldValueInvalid", std::string(field) + "[" + key + "]",
                        "Invalid value: illegal base64 data"});
  }
}

void CheckImmutable(const Json& object, const Json* old, std::initializer_list<const char*> fields,
                    Problems& problems) {
  if (old == nullptr || !BoolAt(*old, {"immutable"})) return;
  if (!BoolAt(object, {"immutable"})) {
    problems.push_back(Forbidden("immutable", "field is immutable when `immutable` is set"));
  }
  for (const char* field : fields) {
    if (ObjectAt(object, {field}) != ObjectAt(*old, {field})) {
      problems.push_back(Forbidden(field, "field is immutable when `immutable` is set"));
    }
  }
}

void CheckConfigMap(const Json& object, const Json* old, Problems& problems) {
  size_t bytes = 0;
  CheckKeys(object, "data", bytes, problems);
  CheckKeys(object, "binaryData", bytes, problems);
  CheckBase64(object, "binaryData", problems);
  for (const auto& [key, value] : ObjectAt(object, {"binaryData"}).items()) {
    if (Find(object, {"data", key}) != nullptr) {
      problems.push_back(
          Invalid("data[" + key + "]", key, "duplicate of key present in binaryData"));
    }
  }
  if (bytes > kDataBytesMax) problems.push_back(TooLong("", kDataBytesMax));
  CheckImmutable(object, old, {"data", "binaryData"}, problems);
}

// Types whose data must have a certain key.
void CheckSecretType(const Json& object, Problems& problems) {
  struct Needed {
    std::string_view type;
    std::string_view key;
    bool json = false;
  };
  static constexpr Needed kNeeded[] = {
      {"kubernetes.io/dockerconfigjson", ".dockerconfigjson", true},
      {"kubernetes.io/dockercfg", ".dockercfg", true},
      {"kubernetes.io/tls", "tls.crt"},
      {"kubernetes.io/tls", "tls.key"},
      {"kubernetes.io/ssh-auth", "ssh-privatekey"}};
  const std::string type = StringAt(object, {"type"});
  for (const Needed& needed : kNeeded) {
    if (needed.type != type) continue;
    const std::string field = "data[" + std::string(needed.key) + "]";
    const Json* value = Find(object, {"data", needed.key});
    if (value == nullptr) {
      problems.push_back(Required(field, ""));
    } else if (needed.json && value->is_string()) {
      const auto bytes = DecodeBase64(value->get_ref<const std::string&>());
      // The content is not repeated: it is a secret.
      if (bytes && !Json::accept(*bytes))
        problems.push_back(
            {"FieldValueInvalid", field, "Invalid value: <secret contents redacted>: not JSON"});
    }
  }
}

void CheckSecret(const Json& object, const Json* old, Problems& problems) {
  size_t bytes = 0;
  CheckKeys(object, "data", bytes, problems);
  CheckBase64(object, "data", problems);
  if (bytes > kDataBytesMax / 3 * 4) problems.push_back(TooLong("data", kDataBytesMax));
  CheckSecretType(object, problems);
  if (old != nullptr && StringAt(object, {"type"}) != StringAt(*old, {"type"})) {
    problems.push_back(Invalid("type", StringAt(object, {"type"}), "field is immutable"));
  }
  CheckImmutable(object, old, {"data"}, problems);
}

}  // namespace

std::vector<FieldProblem> ValidateKubernetes(const Kind& kind, const Json& object,
                                             const Json* old) {
  Problems problems;
  CheckName(kind, object, problems);
  CheckLabels(object, problems);
  CheckAnnotations(object, problems);
  CheckOwners(object, problems);
  CheckFinalizers(object, old, problems);
  if (kind.kind == "ConfigMap") CheckConfigMap(object, old, problems);
  if (kind.kind == "Secret") CheckSecret(object, old, problems);
  if (kind.kind == "PersistentVolumeClaim")
    std::ranges::move(ValidateClaim(object, old), std::back_inserter(problems));
  if (kind.kind == "ClusterDomainClaim" && StringAt(object, {"spec", "namespace"}).empty())
    problems.push_back(Required("spec.namespace", ""));
  if (kind.kind == "Event") {
    const char* const about = kind.group.empty() ? "involvedObject" : "regarding";
    const std::string ns = StringAt(object, {about, "namespace"});
    // Those about objects without a namespace are in the default one.
    const bool fits = ns == NamespaceOf(object) || (ns.empty() && NamespaceOf(object) == "default");
    if (!fits) {
      problems.push_back(
          Invalid(std::string(about) + ".namespace", ns, "does not match event.namespace"));
    }
  }
  return problems;
}

}  // namespace updraft::api
