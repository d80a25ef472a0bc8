// One pass over an object's status: starts from what is stored, ends as an update if anything came
// out differently. Pure.
//
//   StatusPass pass(route, api::RouteConditions(), now);
//   pass.MarkTrue("AllTrafficAssigned");
//   pass.Finish(KeyOf(route, resource::kRoutes), plan);
//
// A condition whose content is the same at the end keeps its transition time, whatever it went
// through in between. The sum ("Ready") is made at the end: True when all dependents are, else what
// the most recently changed False dependent says, else the most recently changed Unknown one; of
// several that changed at once the first by the set's order, which names causes before
// consequences.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/reconcile/plan.h"
#include "core/api/conditions.h"

namespace updraft::controller {

class StatusPass {
 public:
  // `set` must outlive this.
  StatusPass(const Json& object, const api::ConditionSet& set, WallTime now);
  StatusPass(const StatusPass&) = delete;
  StatusPass& operator=(const StatusPass&) = delete;

  Json& status() { return object_["status"]; }
  const Json& object() const { return object_; }
  std::optional<api::Condition> Get(std::string_view type) const;

  void MarkTrue(std::string_view type, std::string_view reason = "", std::string_view message = "");
  void MarkFalse(std::string_view type, std::string_view reason, std::string_view message);
  void MarkUnknown(std::string_view type, std::string_view reason, std::string_view message);
  // Takes over status, reason and message of another object's condition.
  void Copy(std::string_view type, const api::Condition& from);

  // Ready as it will be, for those who must know before the end.
  api::Condition Sum() const;

  // Sets observedGeneration and adds the update to `plan`, if there is anything to write.
  void Finish(const ObjectKey& key, ReconcilePlan& plan);

 private:
  void Set(api::Condition condition);
  std::string TransitionTime(const api::Condition& condition) const;

  const Json& before_;
  const api::ConditionSet& set_;
  const std::string now_;
  Json object_;
  std::vector<api::Condition> conditions_;
};

// Copies a member of `from`'s status to `to`, or removes it there when `from` has none.
void CopyStatusField(const Json& from, std::string_view name, Json& to);

}  // namespace updraft::controller
