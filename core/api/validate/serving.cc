// Knative's validation of its kinds, from the kind down to the template.
#include <algorithm>

#include "core/api/access.h"
#include "core/api/canonical.h"
#include "core/api/constants.h"
#include "core/api/diff.h"
#include "core/api/duration.h"
#include "core/api/go_number.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/quantity.h"
#include "core/api/schedule.h"
#include "core/api/validate/domain_mapping.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

const Json& AnnotationsOf(const Json& object) {
  return ObjectAt(object, {"metadata", "annotations"});
}

FieldErrors CheckNames(const Json& object) {
  FieldErrors errors;
  const std::string name = NameOf(object);
  const std::string prefix = StringAt(object, {"metadata", "generateName"});
  if (!prefix.empty()) {
    const Complaints complaints = CheckDns1035Prefix(prefix);
    if (!complaints.empty())
      return Generic("not a DNS 1035 label prefix: " + ToGoList(complaints), {"generateName"});
  }
  if (!name.empty()) {
    const Complaints complaints = CheckDns1035Label(name);
    if (!complaints.empty())
      return Generic("not a DNS 1035 label: " + ToGoList(complaints), {"name"});
  }
  if (name.empty() && prefix.empty()) return Generic("name or generateName is required", {"name"});
  return errors;
}

FieldErrors RefuseScalingAnnotations(const Json& object) {
  FieldErrors errors;
  for (const auto& [key, value] : AnnotationsOf(object).items()) {
    const bool own = key == kScheduleAnnotation || key == kKeepAliveAnnotation ||
                     key == kSilentStreamTimeoutAnnotation;
    if (!own && !key.starts_with(kAutoscalingGroup)) continue;
    errors.Add(InvalidKeyName(key, "",
                              "autoscaling annotations must be put under "
                              "\"spec.template.metadata.annotations\" to work"));
  }
  return errors.ViaField("annotations");
}

// A Go duration of whole seconds, at least 0. `title` is what messages call it.
FieldErrors CheckSeconds(const Json& annotations, std::initializer_list<std::string_view> keys,
                         const std::string& title) {
  const auto found = FirstAnnotation(annotations, keys);
  if (!found || found->value.empty()) return {};
  const std::optional<Nanos> value = ParseGoDuration(found->value);
  if (!value) return InvalidValue(found->value, found->key);
  if (*value % Seconds(1) != Nanos(0)) {
    return Generic(title + "=" + found->value + " is not at second precision", {found->key});
  }
  if (*value < Nanos(0))
    return Generic(title + "=" + found->value + " must be positive", {found->key});
  return {};
}

FieldErrors CheckRolloutDuration(const Json& object) {
  return CheckSeconds(AnnotationsOf(object),
                      {kRolloutDurationAnnotation, "serving.knative.dev/rolloutDuration"},
                      "rollout-duration")
      .ViaField("annotations");
}

// A label that names an owner must have that owner.
FieldErrors CheckOwnerLabel(const Json& object, std::string_view label,
                            std::string_view owner_kind) {
  if (!HasLabel(object, label)) return {};
  const std::string value = LabelOf(object, label);
  for (const OwnerReference& owner : OwnersOf(object)) {
    if (owner.kind == owner_kind && owner.name == value) return {};
  }
  return FieldErrors(MissingField({std::string(label)})).ViaField("labels");
}

FieldErrors CheckNetworkAnnotations(const Json& annotations) {
  static constexpr std::string_view kKnown[] = {
      "ingress.class",  "ingress-class",    "certificate.class",           "certificate-class",
      "disableAutoTLS", "disable-auto-tls", "disable-external-domain-tls", "httpOption",
      "http-protocol"};
  constexpr std::string_view kGroup = "networking.knative.dev";
  FieldErrors errors;
  for (const auto& [key, value] : annotations.items()) {
    if (!key.starts_with(kGroup)) continue;
    const std::string_view name =
        std::string_view(key).substr(std::min(key.size(), kGroup.size() + 1));
    if (std::ranges::find(kKnown, name) == std::end(kKnown)) errors.Add(InvalidKeyName(key, ""));
  }
  return errors;
}

FieldErrors CheckSidecarAnnotations(const Json& annotations) {
  constexpr std::string_view kSidecarPrefix = "queue.sidecar.serving.knative.dev/";
  const std::string prefix(kSidecarPrefix);
  FieldErrors errors;
  if (const auto share = FirstAnnotation(
          annotations, {prefix + "resource-percentage", prefix + "resourcePercentage"})) {
    errors.Add(FieldErrors(Generic("Queue proxy resource percentage annotation is deprecated. "
                                   "Please use the available "
                                   "annotations to explicitly set resource values per service",
                                   {}))
                   .AtLevel(FieldError::Level::kWarning));
    double value = 0;
    if (ParseGoFloat(share->value, value) != GoNumber::kRead) {
      errors.Add(FieldErrors(InvalidValue(share->value, "")).ViaKey(share->key));
    } else if (value < 0.1 || value > 100) {
      errors.Add(FieldErrors(OutOfBounds(FormatFloat(value), "0.1", "100", "")).ViaKey(share->key));
    }
  }
  for (const char* resource : {"cpu", "memory", "ephemeral-storage"}) {
    for (const char* side : {"request", "limit"}) {
      const std::string key = prefix + resource + "-resource-" + side;
      const auto amount = FirstAnnotation(annotations, {key});
      if (amount && !Quantity::Parse(amount->value))
        errors.Add(FieldErrors(InvalidValue(amount->value, "")).ViaKey(key));
    }
  }
  return errors;
}

// Kubernetes would refuse the Pod, and the revision would fail for it. Relative to the spec.
FieldErrors CheckContainerNames(const Json& spec, const WriteContext& context) {
  FieldErrors errors;
  if (context.dry_run) return errors;
  for (const char* list : {"containers", "initContainers"}) {
    const Json& containers = ArrayAt(spec, {list});
    for (size_t i = 0; i < containers.size(); ++i) {
      const std::string name = StringAt(containers[i], {"name"});
      const Complaints wrong = name.empty() ? Complaints{} : CheckDns1123Label(name);
      if (!wrong.empty())
        errors.Add(FieldErrors(InvalidValue(name, "name", wrong.front())).ViaFieldIndex(list, i));
    }
  }
  return errors;
}

// The name that a user gives to the next revision.
FieldErrors CheckRevisionName(const Json& revision_template, const Json& parent) {
  const std::string prefix = StringAt(revision_template, {"metadata", "generateName"});
  if (!prefix.empty()) {
    const Complaints complaints = CheckDns1035Prefix(prefix);
    if (!complaints.empty()) {
      return InvalidValue("not a DNS 1035 label prefix: " + ToGoList(complaints),
                          "metadata.generateName");
    }
  }
  const std::string name = NameOf(revision_template);
  if (name.empty()) return {};
  const Complaints complaints = CheckDns1035Label(name);
  if (!complaints.empty())
    return InvalidValue("not a DNS 1035 label: " + ToGoList(complaints), "metadata.name");
  const std::string parent_name = NameOf(parent);
  if (parent_name.empty() && !StringAt(parent, {"metadata", "generateName"}).empty()) {
    return DisallowedFields({"metadata.name"});
  }
  const std::string wanted = parent_name + "-";
  if (!name.starts_with(wanted)) {
    return InvalidValue(Quoted(name) + " must have prefix " + Quoted(wanted), "metadata.name");
  }
  return {};
}

FieldErrors ValidateTemplate(const Json& object, const WriteContext& context) {
  const Json& revision_template = ObjectAt(object, {"spec", "template"});
  const Json& annotations = AnnotationsOf(revision_template);
  const Json& spec = ObjectAt(revision_template, {"spec"});
  FieldErrors errors = ValidateRevisionSpec(spec, *context.config);
  errors.Add(CheckContainerNames(spec, context));
  errors = errors.ViaField("spec");
  FieldErrors found = ValidateScalingAnnotations(annotations, context.config->autoscaler);
  found.Add(CheckNetworkAnnotations(annotations));
  found.Add(CheckSidecarAnnotations(annotations));
  found.Add(CheckSeconds(annotations, {kProgressDeadlineAnnotation}, "progress-deadline"));
  errors.Add(found.ViaField("metadata.annotations"));
  errors.Add(CheckRevisionName(revision_template, object));
  return errors.ViaField("spec.template");
}

FieldErrors CheckCreator(const Json& object, const Json& old) {
  FieldErrors errors;
  const std::string creator(kCreatorAnnotation);
  const std::string modifier(kLastModifierAnnotation);
  if (AnnotationOf(old, creator) != AnnotationOf(object, creator)) {
    errors.Add(Generic("annotation value is immutable", {creator}));
  }
  const bool same_spec = ObjectAt(object, {"spec"}) == ObjectAt(old, {"spec"});
  if (same_spec && AnnotationOf(old, modifier) != AnnotationOf(object, modifier)) {
    errors.Add(InvalidValue(AnnotationOf(object, modifier), modifier));
  }
  return errors.ViaField("metadata.annotations");
}

FieldErrors CheckNameChange(const Json& object, const Json& old) {
  const Json& now = ObjectAt(object, {"spec", "template"});
  const Json& before = ObjectAt(old, {"spec", "template"});
  const std::string name = NameOf(now);
  if (name.empty() || name != NameOf(before)) return {};
  const std::string diff = DiffText(before, now, kRevisionTemplateRoot);
  if (diff.empty()) return {};
  return FieldErrors(
             FieldError{.message = "Saw the following changes without a name change (-old +new)",
                        .paths = {"metadata.name"},
                        .details = diff})
      .ViaField("spec.template");
}

FieldErrors ValidateService(const Json& object, const WriteContext& context) {
  FieldErrors metadata = CheckNames(object);
  metadata.Add(RefuseScalingAnnotations(object));
  metadata.Add(CheckRolloutDuration(object));
  FieldErrors errors = metadata.ViaField("metadata");
  errors.Add(ValidateTemplate(object, context));
  errors.Add(ValidateTraffic(ArrayAt(object, {"spec", "traffic"}), true).ViaField("spec"));
  if (context.old != nullptr) {
    errors.Add(CheckCreator(object, *context.old));
    errors.Add(CheckNameChange(object, *context.old));
  }
  return errors;
}

FieldErrors ValidateConfiguration(const Json& object, const WriteContext& context) {
  FieldErrors metadata = CheckNames(object);
  metadata.Add(RefuseScalingAnnotations(object));
  metadata.Add(CheckOwnerLabel(object, kServiceLabel, "Service"));
  FieldErrors errors = metadata.ViaField("metadata");
  errors.Add(ValidateTemplate(object, context));
  if (context.old != nullptr) {
    if (OwnersOf(object).empty()) errors.Add(CheckCreator(object, *context.old));
    errors.Add(CheckNameChange(object, *context.old));
  }
  return errors;
}

FieldErrors ValidateRoute(const Json& object, const WriteContext& context) {
  FieldErrors metadata = CheckNames(object);
  metadata.Add(RefuseScalingAnnotations(object));
  metadata.Add(CheckOwnerLabel(object, kServiceLabel, "Service"));
  metadata.Add(CheckRolloutDuration(object));
  FieldErrors errors = metadata.ViaField("metadata");
  errors.Add(ValidateTraffic(ArrayAt(object, {"spec", "traffic"}), false).ViaField("spec"));
  if (context.old != nullptr && OwnersOf(object).empty())
    errors.Add(CheckCreator(object, *context.old));
  return errors;
}

FieldErrors ValidateDomainMapping(const Json& object, const WriteContext& context) {
  FieldErrors errors = CheckDomainName(object).ViaField("metadata");
  errors.Add(
      CheckReference(ObjectAt(object, {"spec", "ref"}), NamespaceOf(object)).ViaField("spec.ref"));
  if (context.old != nullptr) errors.Add(CheckCreator(object, *context.old));
  return errors;
}

FieldErrors ValidateRevision(const Json& object, const WriteContext& context) {
  if (context.old != nullptr) {
    const std::string diff =
        DiffText(ObjectAt(*context.old, {"spec"}), ObjectAt(object, {"spec"}), kRevisionSpecRoot);
    if (!diff.empty()) {
      return FieldError{
          .message = "Immutable fields changed (-old +new)", .paths = {"spec"}, .details = diff};
    }
  }
  FieldErrors metadata = CheckNames(object);
  metadata.Add(ValidateScalingAnnotations(AnnotationsOf(object), context.config->autoscaler)
                   .ViaField("annotations"));
  metadata.Add(CheckOwnerLabel(object, kConfigurationLabel, "Configuration"));
  FieldErrors errors = metadata.ViaField("metadata");
  if (context.old == nullptr) {
    const Json& spec = ObjectAt(object, {"spec"});
    errors.Add(ValidateRevisionSpec(spec, *context.config).ViaField("spec"));
    errors.Add(CheckContainerNames(spec, context).ViaField("spec"));
  }
  return errors;
}

FieldErrors ValidateKind(const Kind& kind, const Json& object, const WriteContext& context) {
  if (kind.kind == "Service") return ValidateService(object, context);
  if (kind.kind == "Configuration") return ValidateConfiguration(object, context);
  if (kind.kind == "Route") return ValidateRoute(object, context);
  if (kind.kind == "DomainMapping") return ValidateDomainMapping(object, context);
  if (kind.kind == "Revision") return ValidateRevision(object, context);
  return {};
}

}  // namespace

FieldErrors ValidateServing(const Kind& kind, const Json& object, const WriteContext& context) {
  if (kind.group != kServingGroup) return {};
  if (context.old == nullptr) return ValidateKind(kind, object, context);
  // What differs from the stored object in its form alone has not changed.
  Json old = *context.old;
  MakeSpecCanonical(kind, old);
  WriteContext canonical = context;
  canonical.old = &old;
  return ValidateKind(kind, object, canonical);
}

}  // namespace updraft::api
