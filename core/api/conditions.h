// Conditions as Knative keeps them: an array sorted by type, one condition that sums the others up
// ("Ready"), and a transition time that moves only when a condition's content does. Pure.
//
//   Conditions conditions(RouteConditions(), object["status"], now);
//   conditions.Initialize();
//   conditions.MarkFalse("IngressReady", "NotOwned", "There is an existing Ingress ...");
//
// Dependents carry no severity; any other condition (Revision's Active) is of severity Info and
// does not influence the sum. The sum copies the status, reason and message of the most recently
// changed False dependent, else of the most recently changed Unknown one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::api {

inline constexpr std::string_view kTrue = "True";
inline constexpr std::string_view kFalse = "False";
inline constexpr std::string_view kUnknown = "Unknown";
inline constexpr std::string_view kReady = "Ready";

struct Condition {
  std::string type = {};
  std::string status = "Unknown";  // True, False or Unknown
  std::string reason = {};
  std::string message = {};
  std::string severity = {};              // empty: an error when not True; "Info"
  std::string last_transition_time = {};  // RFC 3339

  bool IsTrue() const { return status == kTrue; }
  bool IsFalse() const { return status == kFalse; }
  bool IsUnknown() const { return status == kUnknown; }
};

// Which conditions the sum depends on.
struct ConditionSet {
  std::vector<std::string> dependents = {};
  std::string happy = "Ready";
};

const ConditionSet& ServiceConditions();        // ConfigurationsReady, RoutesReady
const ConditionSet& ConfigurationConditions();  // none
const ConditionSet& RevisionConditions();  // ResourcesAvailable, ContainerHealthy (Active is apart)
const ConditionSet& RouteConditions();  // AllTrafficAssigned, IngressReady, CertificateProvisioned
const ConditionSet& DomainMappingConditions();  // DomainClaimed, ReferenceResolved, IngressReady,
                                                // CertificateProvisioned

// The condition of an object (not of its status) by type; nullopt when it has none.
std::optional<Condition> ConditionOf(const Json& object, std::string_view type);
bool IsConditionTrue(const Json& object, std::string_view type);

// Works on `status.conditions` in place. `set` and `status` must outlive it.
class Conditions {
 public:
  Conditions(const ConditionSet& set, Json& status, WallTime now)
      : set_(set), status_(status), now_(now) {}

  std::optional<Condition> Get(std::string_view type) const;
  bool IsHappy() const;

  // Adds what is missing: the sum and its dependents as Unknown, or dependents as True under a true
  // sum.
  void Initialize();

  void MarkTrue(std::string_view type) { MarkTrue(type, "", ""); }
  void MarkTrue(std::string_view type, std::string_view reason, std::string_view message);
  void MarkUnknown(std::string_view type, std::string_view reason, std::string_view message);
  void MarkFalse(std::string_view type, std::string_view reason, std::string_view message);

  // Removes a condition that is not a dependent; no effect on the others.
  void Clear(std::string_view type);

 private:
  void Set(std::string_view type, std::string_view status, std::string_view reason,
           std::string_view message);
  std::vector<Condition> All() const;
  void Write(std::vector<Condition> conditions);
  bool IsDependent(std::string_view type) const;
  std::optional<Condition> UnhappyDependent() const;

  const ConditionSet& set_;
  Json& status_;
  const WallTime now_;
};

}  // namespace updraft::api
