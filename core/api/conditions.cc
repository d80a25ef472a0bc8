#include "core/api/conditions.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

Condition FromJson(const Json& json) {
  return {.type = StringAt(json, {"type"}),
          .status = StringAt(json, {"status"}, kUnknown),
          .reason = StringAt(json, {"reason"}),
          .message = StringAt(json, {"message"}),
          .severity = StringAt(json, {"severity"}),
          .last_transition_time = StringAt(json, {"lastTransitionTime"})};
}

Json ToJson(const Condition& condition) {
  Json json = Json::object();
  json["type"] = condition.type;
  json["status"] = condition.status;
  if (!condition.severity.empty()) json["severity"] = condition.severity;
  if (!condition.reason.empty()) json["reason"] = condition.reason;
  if (!condition.message.empty()) json["message"] = condition.message;
  json["lastTransitionTime"] = condition.last_transition_time;
  return json;
}

std::optional<Condition> FindCondition(const Json& status, std::string_view type) {
  for (const Json& json : ArrayAt(status, {"conditions"})) {
    if (StringAt(json, {"type"}) == type) return FromJson(json);
  }
  return std::nullopt;
}

}  // namespace

const ConditionSet& ServiceConditions() {
  static const ConditionSet set{.dependents = {"ConfigurationsReady", "RoutesReady"}};
  return set;
}

const ConditionSet& ConfigurationConditions() {
  static const ConditionSet set{};
  return set;
}

const ConditionSet& RevisionConditions() {
  static const ConditionSet set{.dependents = {"ResourcesAvailable", "ContainerHealthy"}};
  return set;
}

const ConditionSet& RouteConditions() {
  static const ConditionSet set{
      .dependents = {"AllTrafficAssigned", "IngressReady", "CertificateProvisioned"}};
  return set;
}

const ConditionSet& DomainMappingConditions() {
  static const ConditionSet set{.dependents = {"DomainClaimed", "ReferenceResolved", "IngressReady",
                                               "CertificateProvisioned"}};
  return set;
}

std::optional<Condition> ConditionOf(const Json& object, std::string_view type) {
  return FindCondition(ObjectAt(object, {"status"}), type);
}

bool IsConditionTrue(const Json& object, std::string_view type) {
  const std::optional<Condition> condition = ConditionOf(object, type);
  return condition && condition->IsTrue();
}

std::optional<Condition> Conditions::Get(std::string_view type) const {
  return FindCondition(status_, type);
}

bool Conditions::IsHappy() const {
  const std::optional<Condition> happy = Get(set_.happy);
  return happy && happy->IsTrue();
}

void Conditions::Initialize() {
  std::optional<Condition> happy = Get(set_.happy);
  if (!happy) Set(set_.happy, kUnknown, "", "");
  // A true sum implies that a dependent which is new to the set is true as well.
  const std::string_view initial = happy && happy->IsTrue() ? kTrue : kUnknown;
  for (const std::string& dependent : set_.dependents) {
    if (!Get(dependent)) Set(dependent, initial, "", "");
  }
}

void Conditions::MarkTrue(std::string_view type, std::string_view reason,
                          std::string_view message) {
  Set(type, kTrue, reason, message);
  if (const std::optional<Condition> unhappy = UnhappyDependent()) {
    Set(set_.happy, unhappy->status, unhappy->reason, unhappy->message);
  } else if (type != set_.happy) {
    Set(set_.happy, kTrue, "", "");
  }
}

void Conditions::MarkUnknown(std::string_view type, std::string_view reason,
                             std::string_view message) {
  Set(type, kUnknown, reason, message);
  for (const std::string& dependent : set_.dependents) {
    const std::optional<Condition> condition = Get(dependent);
    if (!condition || !condition->IsFalse()) continue;
    // A failure outweighs what is unknown.
    const std::optional<Condition> happy = Get(set_.happy);
    if (!happy || !happy->IsFalse()) Set(set_.happy, kFalse, reason, message);
    return;
  }
  if (IsDependent(type)) Set(set_.happy, kUnknown, reason, message);
}

void Conditions::MarkFalse(std::string_view type, std::string_view reason,
                           std::string_view message) {
  Set(type, kFalse, reason, message);
  if (IsDependent(type)) Set(set_.happy, kFalse, reason, message);
}

void Conditions::Clear(std::string_view type) {
  if (type == set_.happy || IsDependent(type)) return;
  std::vector<Condition> conditions = All();
  std::erase_if(conditions, [type](const Condition& c) { return c.type == type; });
  Write(std::move(conditions));
}

void Conditions::Set(std::string_view type, std::string_view status, std::string_view reason,
                     std::string_view message) {
  const bool terminal = type == set_.happy || IsDependent(type);
  Condition next{.type = std::string(type),
                 .status = std::string(status),
                 .reason = std::string(reason),
                 .message = std::string(message),
                 .severity = terminal ? "" : "Info"};
  std::vector<Condition> conditions = All();
  const auto old = std::ranges::find(conditions, type, &Condition::type);
  if (old != conditions.end()) {
    const bool same = old->status == next.status && old->reason == next.reason &&
                      old->message == next.message && old->severity == next.severity;
    if (same) return;
    conditions.erase(old);
  }
  next.last_transition_time = FormatTimestamp(now_);
  conditions.push_back(std::move(next));
  Write(std::move(conditions));
}

std::vector<Condition> Conditions::All() const {
  std::vector<Condition> all;
  for (const Json& json : ArrayAt(status_, {"conditions"})) all.push_back(FromJson(json));
  return all;
}

void Conditions::Write(std::vector<Condition> conditions) {
  std::ranges::sort(conditions, {}, &Condition::type);
  Json array = Json::array();
  for (const Condition& condition : conditions) array.push_back(ToJson(condition));
  if (!status_.is_object()) status_ = Json::object();
  status_["conditions"] = std::move(array);
}

bool Conditions::IsDependent(std::string_view type) const {
  return std::ranges::find(set_.dependents, type) != set_.dependents.end();
}

std::optional<Condition> Conditions::UnhappyDependent() const {
  if (set_.dependents.empty()) return std::nullopt;
  std::vector<Condition> terminal = All();
  std::erase_if(terminal,
                [this](const Condition& c) { return !c.severity.empty() || c.type == set_.happy; });
  // RFC 3339 in UTC with whole seconds sorts as text.
  std::ranges::stable_sort(terminal, std::ranges::greater(), &Condition::last_transition_time);
  for (const std::string_view status : {kFalse, kUnknown}) {
    const auto found = std::ranges::find(terminal, status, &Condition::status);
    if (found != terminal.end()) return *found;
  }
  if (terminal.size() < set_.dependents.size()) return Condition{};
  return std::nullopt;
}

}  // namespace updraft::api
